"""The honest rival of the demo's reader: Tesseract's Korean on the same fresh slips.

    apt-get install tesseract-ocr tesseract-ocr-kor
    python bench/tesseract.py [--slips 200] [--choose]

Tesseract is general: it reads any print, and was never shown a slip. Ours reads nothing but these
slips. So it is helped where it can be: pictures are enlarged to the size it likes, the way of
cutting a page (`--psm`), the enlargement and the blur against grain are the best on the choosing
seeds (`--choose` prints them), and a field counts if its characters stand anywhere in the text,
however spaced and labelled.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path

from PIL import Image, ImageFilter

CHAIN = Path(__file__).parents[1] / "examples" / "chain"
sys.path.insert(0, str(CHAIN))

import score  # noqa: E402 - a script of the example
import slips  # noqa: E402

PSM, ENLARGED, SMOOTHED = 4, 4, 0
"""Best on the choosing seeds, by `--choose`."""
CHOICES = list(product((3, 4, 6, 11), (3, 4), (0, 1)))


def main() -> None:
    """A table on stdout: of the test seeds, or of the choices on the choosing seeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slips", type=int, default=200)
    parser.add_argument("--choose", action="store_true")
    asked = parser.parse_args()
    found = {}
    for way in CHOICES if asked.choose else [(PSM, ENLARGED, SMOOTHED)]:
        for domain in slips.FAMILIES:
            drawn = score.fresh("valid" if asked.choose else "test", domain, asked.slips)
            read = [lenient(slip.facts, text(slip.picture, *way)) for slip in drawn]
            found[f"{domain}: psm {way[0]}, {way[1]}x, blur {way[2]}"] = score.figures(
                [slip.facts for slip in drawn], read
            )
    print(score.table(found))


def text(picture: Image.Image, psm: int, enlarged: int, smoothed: int) -> str:
    """What Tesseract reads on a picture, enlarged, blurred by so many pixels, with a margin."""
    wide, high = picture.width * enlarged, picture.height * enlarged
    page = Image.new("L", (wide + 40, high + 40), round(picture.getextrema()[1] * 0.95))
    large = picture.resize((wide, high), Image.Resampling.LANCZOS)
    page.paste(large.filter(ImageFilter.GaussianBlur(smoothed)), (20, 20))
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        page.save(file.name)
        command = ["tesseract", file.name, "-", "-l", "kor", "--psm", str(psm), "--dpi", "300"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def lenient(facts: Mapping[str, str], read: str) -> dict[str, str]:
    """The facts whose characters stand in the text in their order, spaces aside."""
    closed = "".join(read.split())
    return {name: fact for name, fact in facts.items() if fact.replace(" ", "") in closed}


if __name__ == "__main__":
    main()
