"""Bytes of a line -> a JSON object, or the faults that keep it from being one.

1. Whatever the bytes, the answer is an object or a fault, never an exception.
2. JSON is taken at its word (RFC 8259): a key stands once, and NaN is no number.
"""

import json
import math
import re
from typing import Any

from yukjo.data.findings import Fault, cut

_CP949_HANGUL = re.compile("[가-힣]{2}")


class _Refused(Exception):
    """JSON that Python would take and a check does not."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


def parse(data: bytes) -> dict[str, Any] | Fault:
    """The object on a line, or why there is none."""
    try:
        value = _decoder.decode(data.decode("utf-8"))
    except UnicodeDecodeError as fault:
        return Fault("not-utf8", None, {"position": fault.start + 1, "cp949": _is_cp949(data)})
    except json.JSONDecodeError as fault:
        return Fault("not-json", None, {"position": fault.pos + 1, "why": fault.msg})
    except RecursionError:
        return Fault("too-deep")
    except _Refused as refused:
        return refused.fault
    except ValueError as fault:  # a whole number of more digits than Python reads
        return Fault("not-json", None, {"position": 1, "why": str(fault)})
    return value if isinstance(value, dict) else Fault("not-object", None, {"kind": type(value)})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys all differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in made if keys.count(key) > 1)
        raise _Refused(Fault("duplicate-key", None, {"key": cut(twice)}))
    return made


def _float(text: str) -> float:
    """A JSON number with a fraction or exponent; 1e999 is none."""
    value = float(text)
    if math.isinf(value):
        raise _Refused(Fault("not-finite", None, {"value": cut(text)}))
    return value


def _constant(name: str) -> float:
    """NaN, Infinity and -Infinity, which Python reads and JSON does not know."""
    raise _Refused(Fault("not-finite", None, {"value": name}))


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)


def _is_cp949(data: bytes) -> bool:
    """Whether the bytes read as Korean in Windows' old encoding."""
    try:
        return _CP949_HANGUL.search(data.decode("cp949")) is not None
    except UnicodeDecodeError:
        return False
