"""Plain JSON and nothing else: what a job's parameters may be made of."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_PARAMETERS_BYTES: Final = 65_536
MAX_DEPTH: Final = 32
# What SQL and every JSON reader can hold.
MAX_INTEGER: Final = 2**63
_UNKEPT: Final = re.compile("[\\x00\\ud800-\\udfff]")
# Made once: json.dumps makes one for each call that is not its default.
_WRITER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def plain_json(given: object) -> tuple[list[Any] | dict[str, Any], str]:
    """Give the parameters as a value and as the JSON text that is stored."""
    if given is None:
        return [], "[]"
    given = _read(given)
    if not isinstance(given, (list, dict)):
        raise ValueError(  # noqa: TRY004 - one kind of error for all that is wrong
            f"must be a list or an object of JSON, not {type(given).__name__}"
        )
    _check_plain(given, depth=1)
    text = _WRITER.encode(given)
    if len(text) > MAX_PARAMETERS_BYTES or len(text.encode()) > MAX_PARAMETERS_BYTES:
        raise ValueError(f"at most {MAX_PARAMETERS_BYTES} bytes of JSON")
    return given, text


def _read(given: object) -> object:
    if type(given) in {list, dict}:
        return given
    if isinstance(given, tuple):
        return list(given)
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, (bytes, bytearray)):
        try:
            given = bytes(given).decode()
        except UnicodeDecodeError as error:
            raise ValueError("must be UTF-8") from error
    if not isinstance(given, str):
        return given
    if len(given) > MAX_PARAMETERS_BYTES:
        raise ValueError(f"at most {MAX_PARAMETERS_BYTES} bytes of JSON")
    return parse_json(given)


def _nesting(text: str) -> int:
    """How deep brackets nest, without parsing: the parser itself recurses."""
    deepest = depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _check_plain(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ValueError(f"keys must be texts, not {type(key).__name__}")
            _check_text(key)
            _check_plain(item, depth + 1)
    elif type(value) is list:
        for item in value:
            _check_plain(item, depth + 1)
    else:
        _check_scalar(value)


def _check_scalar(value: object) -> None:
    if type(value) is str:
        _check_text(value)
    elif type(value) is int:
        if not -MAX_INTEGER <= value < MAX_INTEGER:
            raise ValueError("a whole number is outside of 64 bits")
    elif type(value) is float:
        if not math.isfinite(value):
            raise ValueError("NaN and infinities are not JSON")
    elif value is not None and type(value) is not bool:
        raise ValueError(f"must be plain JSON: {type(value).__name__} is not")


def _check_text(text: str) -> None:
    found = _UNKEPT.search(text)
    if found is None:
        return
    if found[0] == "\x00":
        raise ValueError("a text holds a NUL character, which no database keeps")
    raise ValueError("a text holds half of a character (a lone surrogate)")


def parse_json(text: str) -> Any:
    """Read JSON strictly: no NaN, no infinities, no key twice. Raises ValueError with a sentence."""

    def refuse_constant(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise ValueError("a key is given twice")
        return found

    if _nesting(text) > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    try:
        return json.loads(text, parse_constant=refuse_constant, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
