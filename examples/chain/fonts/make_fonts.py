"""Make this folder's fonts: of six open fonts only the characters that slips show, renamed.

    apt-get install fonts-nanum                      # Nanum, OFL
    pip install fonttools pylopdf-fonts-ko==0.1.1    # Noto, OFL
    python examples/chain/fonts/make_fonts.py

The Open Font License asks that a changed font bears another name (its condition 3), keeps its
copyright notice and stays under the licence. Hinting is dropped, so that a size looks alike under
every FreeType.
"""

import sys
from importlib.resources import files
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import slips  # noqa: E402 - stands in the folder above

NANUM = Path("/usr/share/fonts/truetype/nanum")
NOTO = Path(str(files("pylopdf_fonts_ko")))
SOURCES = {
    "gothic": NANUM / "NanumGothic.ttf",
    "barun": NANUM / "NanumBarunGothic.ttf",
    "sans": NOTO / "NotoSansKR-Regular.otf",
    "myeongjo": NANUM / "NanumMyeongjo.ttf",
    "square": NANUM / "NanumSquareR.ttf",
    "serif": NOTO / "NotoSerifKR-Regular.otf",
}
KEPT = {0: "copyright", 13: "licence", 14: "its address"}
"""Entries of a font's name table that stay as they are."""


def main() -> None:
    """Write one small font for each family."""
    for family, source in SOURCES.items():
        font = TTFont(source)
        cut(font)
        rename(font, f"Slip {family.title()}")
        font.save(HERE / f"slip-{family}{source.suffix}", reorderTables=True)


def cut(font: TTFont) -> None:
    """Leave the characters of slips and nothing that lays them out."""
    options = Options(hinting=False, layout_features=[], name_IDs=["*"], name_languages=["*"],
                      notdef_outline=True, recalc_timestamp=False)  # fmt: skip
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(slips.characters()))
    subsetter.subset(font)


def rename(font: TTFont, name: str) -> None:
    """Give the font its own name; what is neither a name nor KEPT goes."""
    table = font["name"]
    table.names = [entry for entry in table.names if entry.nameID in KEPT]
    entries = {1: name, 2: "Regular", 3: f"{name}, cut for yukjo", 4: name,
               6: name.replace(" ", "")}  # fmt: skip
    for number, text in entries.items():
        table.setName(text, number, 3, 1, 0x409)
    if "CFF " in font:
        (top,) = font["CFF "].cff.topDictIndex
        font["CFF "].cff.fontNames = [entries[6]]
        top.FullName, top.FamilyName = name, name


if __name__ == "__main__":
    main()
