"""Messages on the pipes: inward marshal after its length, outward a line of strict JSON."""

from __future__ import annotations

import json
import marshal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NoReturn


class BadReply(ValueError):
    """The program's reply cannot be read, or is not a reply."""


def frame(message: dict[str, Any]) -> bytes:
    """Return a message as the box reads it."""
    data = marshal.dumps(message)
    return len(data).to_bytes(4, "big") + data


def parse_reply(line: bytes) -> dict[str, Any]:
    """Return the JSON object in a line of the box: exact numbers, each key once."""
    try:
        reply = json.loads(
            line.decode("ascii"),
            parse_constant=_refuse,
            parse_float=_finite,
            object_pairs_hook=_without_twins,
        )
    except (ValueError, RecursionError) as error:
        raise BadReply(f"The program's reply cannot be read ({type(error).__name__}).") from None
    if not isinstance(reply, dict):
        raise BadReply("The program's reply is not a reply.")
    return reply


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found
