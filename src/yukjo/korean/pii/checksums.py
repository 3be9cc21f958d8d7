"""Check digits of Korean numbers; each function takes digits alone, all of them.

A misfit proves little: since October 2020 the end of a 주민등록번호 is random, and people mistype.
"""

from itertools import cycle

_RESIDENT = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_BUSINESS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


def resident(digits: str) -> bool:
    """주민등록번호 of 13 digits, as issued before October 2020.

    >>> resident("8803159711069"), resident("8803159711060")
    (True, False)
    """
    return (11 - _weighed(digits[:12], _RESIDENT) % 11) % 10 == int(digits[12])


def foreigner(digits: str) -> bool:
    """외국인등록번호 of 13 digits.

    >>> foreigner("8804175000002"), foreigner("8804175000003")
    (True, False)
    """
    return (13 - _weighed(digits[:12], _RESIDENT) % 11) % 10 == int(digits[12])


def business(digits: str) -> bool:
    """사업자등록번호 of 10 digits.

    >>> business("1230000002"), business("1230000003")
    (True, False)
    """
    total = _weighed(digits[:9], _BUSINESS) + 5 * int(digits[8]) // 10
    return -total % 10 == int(digits[9])


def corporation(digits: str) -> bool:
    """법인등록번호 of 13 digits.

    >>> corporation("1101110000002"), corporation("1101110000003")
    (True, False)
    """
    return -_weighed(digits[:12], (1, 2) * 6) % 10 == int(digits[12])


def luhn(digits: str) -> bool:
    """Card numbers of any length (ISO/IEC 7812-1, annex B).

    >>> luhn("4000000000000002"), luhn("4000000000000003")
    (True, False)
    """
    doubled = (int(d) * w for d, w in zip(reversed(digits), cycle((1, 2)), strict=False))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004


def _weighed(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=True))
