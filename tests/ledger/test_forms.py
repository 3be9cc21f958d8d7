"""Canonical JSON is RFC 8785's, in Yukjo and in the verifier that shares no code with it."""

import json
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from yukjo.files import canonical_json, read_canonical
from yukjo.ledger import verifier

# RFC 8785, appendix B, and bounds of ECMAScript's own rule.
NUMBERS = {
    "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324", "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308", "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992", "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23", "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000", "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333", "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}  # fmt: skip


@pytest.mark.parametrize("text", [canonical_json, verifier.rfc8785])
@pytest.mark.parametrize(("bits", "written"), NUMBERS.items())
def test_a_number_is_written_as_the_standard_says(text: Any, bits: str, written: str) -> None:
    [value] = struct.unpack(">d", bytes.fromhex(bits))
    assert text(value) == written
    assert text(read_canonical(written)) == written


@pytest.mark.parametrize("text", [canonical_json, verifier.rfc8785])
def test_keys_are_ordered_by_utf_16_and_only_what_must_be_is_escaped(text: Any) -> None:
    value = {"\ufb33": 7, "\U0001f600": 6, "\u20ac": 5, "\u00f6": 4, "\x80": 3, "1": 2, "\r": 1}
    assert text(value) == ('{"\\r":1,"1":2,"\x80":3,"ö":4,"€":5,"\U0001f600":6,"\ufb33":7}')
    assert text('\x00\b\f\n\r\t"\\/\x7f육') == '"\\u0000\\b\\f\\n\\r\\t\\"\\\\/\x7f육"'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(VALUES)
def test_both_writers_agree_and_what_they_wrote_is_read_back(value: Any) -> None:
    text = canonical_json(value)
    assert verifier.rfc8785(value) == text
    assert read_canonical(text) == value == verifier.doubles(text)
    assert canonical_json(read_canonical(text)) == text


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**53), "\ud800", {"\udfff": 1}, [{"a": 10**400}]],
)
def test_both_writers_refuse_what_has_no_canonical_text(value: Any) -> None:
    for text in (canonical_json, verifier.rfc8785):
        with pytest.raises(ValueError, match=r"."):
            text(value)


@given(st.text() | st.from_regex(r"-?[0-9.e+-]{1,30}", fullmatch=True))
def test_both_readers_take_the_same_texts(text: str) -> None:
    def taken(read: Any, write: Any) -> str | None:
        try:
            return str(write(read(text)))
        except ValueError:
            return None

    assert taken(read_canonical, canonical_json) == taken(verifier.doubles, verifier.rfc8785)


def test_it_is_the_package_and_not_pythons_own_form() -> None:
    value = {"b": 1.0, "a": [1e-7, 1e21]}
    assert canonical_json(value) == rfc8785.dumps(value).decode() == '{"a":[1e-7,1e+21],"b":1}'
    assert canonical_json(value) != json.dumps(value)
