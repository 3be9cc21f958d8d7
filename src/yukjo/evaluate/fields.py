"""What was read off an image against what stands on it: fields by name, each a text.

Pure functions of two mappings; a field that was not found is the empty text. Texts are compared in
NFC, without space at their ends.
"""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import cast

from yukjo.evaluate.reading import normal

VERSION = 1
NAMES = ("field_accuracy", "item_accuracy", "cer", "cer_without_spaces", "anls")

Fields = Mapping[str, str]


def libraries() -> dict[str, str] | None:
    """Metric -> the library that counts for it, with its version; None where one is missing."""
    try:
        jiwer, anls = f"jiwer {version('jiwer')}", f"anls_star {version('anls_star')}"
    except PackageNotFoundError:
        return None
    return {"cer": jiwer, "cer_without_spaces": jiwer, "anls": anls}


def read(text: str) -> dict[str, str]:
    r"""The fields on the lines `name: value` of `text`; of two of one name the first.

    >>> read("이름: 홍길동\n비고\n금액: 3만 원\n이름: 성춘향")
    {'이름': '홍길동', '금액': '3만 원'}
    """
    fields: dict[str, str] = {}
    for line in normal(text).split("\n"):
        name, colon, value = line.partition(":")
        if colon and name.strip() and value[:1] in ("", " "):
            fields.setdefault(name.strip(), value.strip())
    return fields


def is_fields(text: str) -> bool:
    r"""Whether every line of `text` is a field, none twice.

    >>> is_fields("이름: 홍길동\n금액: 3만 원"), is_fields("이름: 홍길동입니다.\n끝.")
    (True, False)
    """
    return len(read(text)) == len(normal(text).split("\n"))


def field_accuracy(expected: Fields, found: Fields) -> float:
    """Share of the expected fields found letter by letter, 0 to 1; 1 where none is expected.

    >>> field_accuracy({"이름": "홍길동", "금액": "3만 원"}, {"이름": "홍길동", "금액": "3만원"})
    0.5
    """
    right = [normal(found.get(name, "")) == normal(text) for name, text in expected.items()]
    return sum(right) / len(right) if right else 1.0


def item_accuracy(expected: Fields, found: Fields) -> float:
    """1 where every field is right and none was made up, else 0.

    >>> item_accuracy({"이름": "홍길동"}, {"이름": "홍길동", "금액": "3만 원"})
    0.0
    """
    extra = any(normal(text) for name, text in found.items() if name not in expected)
    return float(not extra and field_accuracy(expected, found) == 1)


def cer(expected: Fields, found: Fields) -> float:
    """Character error rate over the expected fields: edits / characters, from 0, beyond 1 possible.

    >>> cer({"금액": "3만 원"}, {"금액": "3만원"})
    0.25
    """
    return _error_rate([(normal(text), normal(found.get(name, "")))
                        for name, text in expected.items()])  # fmt: skip


def cer_without_spaces(expected: Fields, found: Fields) -> float:
    """The same with every space left out on both sides.

    >>> cer_without_spaces({"금액": "3만 원"}, {"금액": "3만원"})
    0.0
    """
    return cer({name: _closed(text) for name, text in expected.items()},
               {name: _closed(text) for name, text in found.items()})  # fmt: skip


def anls(expected: Fields, found: Fields) -> float:
    """ANLS*, mean likeness of the fields, below one half counted as 0 (arXiv:2402.03848), 0 to 1.

    Letter case doesn't count; a missing field and a made-up one count as 0.

    >>> round(anls({"이름": "홍길동", "동": "새봄동"}, {"이름": "홍길순", "동": "강남구"}), 2)
    0.33
    """
    from anls_star import anls_score

    return cast("float", anls_score(_filled(expected), _filled(found)))


def _filled(fields: Fields) -> dict[str, str]:
    """The fields that say anything, by name."""
    return {name: said for name, text in sorted(fields.items()) if (said := normal(text))}


def _error_rate(pairs: list[tuple[str, str]]) -> float:
    """Edits / characters asked for, over all pairs; where none was, 0 for none and 1 for any."""
    from jiwer import cer as error_rate

    if not any(asked for asked, _ in pairs):
        return float(any(said for _, said in pairs))
    return float(error_rate([asked for asked, _ in pairs], [said for _, said in pairs]))


def _closed(text: str) -> str:
    return "".join(text.split())
