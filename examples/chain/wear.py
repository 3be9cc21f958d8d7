"""What a scanner or a phone makes of a slip, one fault after the other.

Strengths are drawn anew for each slip; the order is that of the world: the stamp and the pen come
before the camera, the camera before the file.
"""

import io
import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Font = ImageFont.FreeTypeFont


def worn(picture: Image.Image, dice: random.Random, font: Font, seal: str) -> Image.Image:
    """`picture`, black on white, as it comes out of the machine; `seal` is what a stamp says."""
    if dice.random() < 0.35:
        picture = stamped(picture, dice, font, seal)
    if dice.random() < 0.25:
        picture = struck(picture, dice)
    picture = faded(picture, dice)
    picture = turned(picture, dice, strength=0.75)
    picture = blurred(picture, dice, most=0.6)
    picture = lit(picture, dice, strength=0.85)
    return squeezed(picture, dice)


def copied(picture: Image.Image, dice: random.Random) -> Image.Image:
    """`picture`, black on white, from a good copier: all of it slight, and no stamp or pen."""
    picture = faded(picture, dice)
    picture = turned(picture, dice, strength=0.5)
    picture = blurred(picture, dice, most=0.5)
    return lit(picture, dice, strength=0.5)


def stamped(picture: Image.Image, dice: random.Random, font: Font, seal: str) -> Image.Image:
    """A seal pressed over the text: what was black stays darker than its ink."""
    ink, side = dice.randint(140, 200), dice.randint(28, 38)
    x, y = dice.randint(10, picture.width - side - 4), dice.randint(8, picture.height - side - 2)
    layer = Image.new("L", picture.size, 255)
    pen = ImageDraw.Draw(layer)
    shape = dice.choice((pen.ellipse, pen.rectangle))
    shape((x, y, x + side, y + side), outline=ink, width=2)
    pen.text((x + side / 2, y + side / 2), seal, font=font, fill=ink, anchor="mm")
    return ImageChops.multiply(picture, layer)


def struck(picture: Image.Image, dice: random.Random) -> Image.Image:
    """A line of a pen, or of a fold, from edge to edge."""
    layer = Image.new("L", picture.size, 255)
    start, end = (dice.uniform(0, picture.height) for _ in range(2))
    end = start + (end - start) * 0.4
    ImageDraw.Draw(layer).line((0, start, picture.width, end), fill=dice.randint(80, 180))
    return ImageChops.multiply(picture, layer)


def faded(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Grey ink on grey paper."""
    ink, paper = dice.randint(10, 105), dice.randint(190, 248)
    return picture.point([round(ink + (paper - ink) * grey / 255) for grey in range(256)])


def turned(picture: Image.Image, dice: random.Random, *, strength: float) -> Image.Image:
    """Laid down askew, not quite flat, and not quite at the right distance."""
    angle, scale = math.radians(dice.uniform(-2, 2) * strength), dice.uniform(0.97, 1.04)
    shear, keystone = dice.uniform(-0.03, 0.03) * strength, dice.uniform(-2e-4, 2e-4) * strength
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    across, down = picture.width / 2, picture.height / 2
    shape = (cos, sin + shear, across - cos * across - (sin + shear) * down,
             -sin, cos, down + sin * across - cos * down, keystone, 0.0)  # fmt: skip
    edge = picture.getextrema()[1]
    return picture.transform(picture.size, Image.Transform.PERSPECTIVE, shape,
                             Image.Resampling.BICUBIC, fillcolor=edge)  # fmt: skip


def blurred(picture: Image.Image, dice: random.Random, *, most: float) -> Image.Image:
    """Out of focus, by a Gaussian of so many pixels."""
    return picture.filter(ImageFilter.GaussianBlur(dice.uniform(0.25, most)))


def lit(picture: Image.Image, dice: random.Random, *, strength: float) -> Image.Image:
    """Light from one side, a shadow over one corner, and the sensor's noise."""
    grain = np.random.default_rng(dice.getrandbits(32))
    grey = np.asarray(picture, dtype=np.float32)
    down, across = np.mgrid[-1 : 1 : grey.shape[0] * 1j, -1 : 1 : grey.shape[1] * 1j]
    way = dice.uniform(0, 2 * math.pi)
    light = (across * math.cos(way) + down * math.sin(way)) * dice.uniform(0, 22) * strength
    corner = (across - dice.choice((-1, 1))) ** 2 + (down - dice.choice((-1, 1))) ** 2
    light -= dice.uniform(0, 40) * strength * np.exp(-corner / dice.uniform(0.3, 1.2))
    noise = grain.normal(0, dice.uniform(4, 13) * strength, grey.shape)
    return Image.fromarray(np.clip(grey + light + noise, 0, 255).astype(np.uint8))


def squeezed(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Kept as a JPEG of modest quality."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=dice.randint(45, 85))
    return Image.open(file).convert("L")
