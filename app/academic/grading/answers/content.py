"""The answers of a form as a submission's file: JSON, small, the same bytes for the same answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE_NAME: Final = "answers.json"
_LARGEST: Final = 1 << 20
_EXPECTED: Final = 'an object like {"answers": {"q1": "3.14", "q2": ["A", "C"]}}'


class BadAnswers(ValueError):
    """The file holds no answers; the message says what was expected."""


def write_answers(answers: Mapping[str, Sequence[str]]) -> bytes:
    """Return the file of a form's answers; a single answer is a text, several are a list."""
    plain = {name: given[0] if len(given) == 1 else list(given) for name, given in answers.items() if given}
    return json.dumps({"answers": plain}, ensure_ascii=False, indent=1, sort_keys=True).encode()


def read_answers(content: bytes) -> dict[str, list[str]]:
    """Return the answers by the id of their question; BadAnswers when the file is something else."""
    if len(content) > _LARGEST:
        raise BadAnswers(f"expected at most {_LARGEST} bytes")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadAnswers(f"expected JSON: {_EXPECTED}") from None
    answers = data.get("answers", data) if isinstance(data, dict) else None
    if not isinstance(answers, dict):
        raise BadAnswers(f"expected {_EXPECTED}")
    return {str(name): _texts(name, given) for name, given in answers.items()}


def _texts(name: object, given: object) -> list[str]:
    items = given if isinstance(given, list) else [given]
    if not all(isinstance(item, (str, int, float)) for item in items):
        raise BadAnswers(f"{name}: expected a text or a list of texts")
    return [_text(item) for item in items]


def _text(item: object) -> str:
    return ("true" if item else "false") if isinstance(item, bool) else str(item)
