"""Read an image file as 8-bit RGB without loss, or say why that can't be.

1. Whatever the bytes, the outcome is an image or `Unreadable`, never another error.
2. Nothing is lost or made up on the way to RGB: black and white, grey and palette are widened, an
   opaque alpha is left out, JPEG and WebP are turned as their EXIF says. CMYK, 16 bits a channel
   and what can be seen through are refused.
3. A file is decoded only once its size is known to be within bounds: it may be a bomb.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from yukjo.errors import DataError, ModelError
from yukjo.files import sha256_bytes
from yukjo.records import Picture
from yukjo.words import say

if TYPE_CHECKING:
    from PIL.Image import Image

BYTES = 32 << 20
"""Of the largest file that is opened."""
PIXELS = 50_000_000
"""Of the largest image that is decoded; a page of A4 at 600 dots an inch has 35 million."""
THIN = 200
"""A side may be so many times the other: what processors of vision models take."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")

_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_TURNED = ("JPEG", "WEBP")
_ORIENTATION = 0x0112
_ON_ITS_SIDE = range(5, 9)
_PNG_DEPTH = slice(24, 25)
_OPAQUE = 255
_FAULTS = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError,
    ArithmeticError, RuntimeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip
"""What a decoder raises over hostile bytes."""


class Unreadable(Exception):
    """An image that can't be used: a code of `data.findings`, and the mode where that is wrong."""

    def __init__(self, code: str, mode: str = "") -> None:
        super().__init__(code)
        self.code, self.mode = code, mode


def decode(data: bytes) -> "Image":
    """The bytes of an image file as RGB; Unreadable where they are none that can be used."""
    with _opened(BytesIO(data)) as image:
        if image.format == "PNG" and data[_PNG_DEPTH] == b"\x10":
            raise Unreadable("image-mode", "16 bit")  # Pillow would cut colours to 8 in silence
        if image.format == "PNG" and not getattr(image, "tile", ()):
            raise Unreadable("image-broken")  # nothing in it: Pillow would show it black
        image.load()
        return _opaque(_turned(image))


def read_rgb(picture: Picture) -> "Image":
    """The image; DataError where the file is gone or no longer what it was."""
    try:
        data = picture.path.read_bytes()
        if sha256_bytes(data) == picture.sha256:
            return decode(data)
    except (OSError, Unreadable):
        pass
    raise _changed(picture)


def picture_of(path: Path) -> Picture:
    """The image file at `path`; DataError where it is none that can be used."""
    try:
        data = path.read_bytes()
        decode(data)
    except (OSError, Unreadable) as fault:
        raise DataError(
            say("no image that can be used: {fault}", fault=fault),
            where=str(path),
            fix=say("save the image as PNG or JPEG"),
        ) from None
    return Picture(path=path.resolve(), sha256=sha256_bytes(data))


def size_of(picture: Picture) -> tuple[int, int]:
    """Width and height as `read_rgb` gives them, from the file's header alone."""
    try:
        with picture.path.open("rb") as file, _opened(file) as image:
            return image.size[::-1] if _lies(image) else image.size
    except (OSError, Unreadable):
        raise _changed(picture) from None


@contextmanager
def _opened(file: BinaryIO) -> "Iterator[Image]":
    """An image whose header was read and found fit."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise ModelError(
            say("Pillow isn't installed"), where="images", fix="pip install 'yukjo[vision]'"
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its complaints about broken files; ours come as errors
        try:
            with Image.open(file, formats=FORMATS) as image:
                _refuse(image)
                yield image
        except UnidentifiedImageError:
            raise Unreadable("not-image") from None
        except Image.DecompressionBombError:
            raise Unreadable("image-too-large") from None
        except _FAULTS:
            raise Unreadable("image-broken") from None


def _refuse(image: "Image") -> None:
    """Unreadable for what the header already shows to be unfit."""
    width, height = image.size
    if width * height > PIXELS:
        raise Unreadable("image-too-large")
    if max(width, height) > THIN * min(width, height):
        raise Unreadable("image-too-thin")
    if getattr(image, "n_frames", 1) > 1:
        raise Unreadable("image-frames")
    if image.mode not in _MODES:
        raise Unreadable("image-mode", image.mode)


def _lies(image: "Image") -> bool:
    """Whether a camera noted that it was held on its side."""
    return image.format in _TURNED and image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE


def _turned(image: "Image") -> "Image":
    """Upright, where its EXIF says how."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(image) if image.format in _TURNED else image


def _opaque(image: "Image") -> "Image":
    """As RGB; Unreadable where something shines through, for nobody says what."""
    if image.has_transparency_data:
        lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
        if lowest != _OPAQUE:
            raise Unreadable("image-mode", say("transparent"))
    return image.convert("RGB")


def _changed(picture: Picture) -> DataError:
    return DataError(
        say("the image is gone, or no longer what it was when the data was read"),
        where=str(picture.path),
        fix=say("put it back as it was, and check the data again"),
    )
