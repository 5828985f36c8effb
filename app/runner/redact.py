"""Parameters that are secrets: kept for the job, shown to nobody."""

from __future__ import annotations

import inspect
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MASK: Final = "***"
_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)|token|secret|(api|private|access)_?key|^key$|authorization", re.IGNORECASE
)
# Shorter values would mask ordinary words of a traceback.
_SHORTEST: Final = 4


def is_secret(name: str) -> bool:
    """Whether a parameter of this name is taken for a secret."""
    return bool(_SECRET.search(name))


def redacted(function: Callable[..., Any] | None, parameters: list[Any] | dict[str, Any]) -> str | None:
    """Give the JSON that people may see, or None when nothing needs hiding."""
    if not parameters:
        return None
    shown = mask(parameters)
    if isinstance(shown, list) and function is not None:
        names = _positional_names(function)
        shown = [MASK if is_secret(name) else value for name, value in zip(names, shown, strict=False)]
    return None if shown == parameters else json.dumps(shown, ensure_ascii=False)


def mask(value: Any) -> Any:
    """Give a copy in which the value of every key that names a secret is masked."""
    if isinstance(value, dict):
        return {key: MASK if is_secret(key) else mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return value


def scrub(text: str, function: Callable[..., Any] | None, parameters: Any) -> str:
    """Mask the secret values of `parameters` wherever they stand in `text`, such as a traceback."""
    spellings = {each for secret in _secrets(function, parameters) for each in _spellings(secret)}
    for each in sorted(spellings, key=len, reverse=True):
        text = text.replace(each, MASK)
    return text


def _spellings(secret: str) -> Iterator[str]:
    """Give a secret as it is, and as errors and tracebacks quote it."""
    yield secret
    for quoted in (repr(secret), ascii(secret), json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        yield quoted[1:-1]


def _positional_names(function: Callable[..., Any]) -> Iterator[str]:
    names = _names_of(function)
    yield from names
    while True:
        yield names[-1] if names else ""


@lru_cache(maxsize=1024)
def _names_of(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)[1:]


def _secrets(function: Callable[..., Any] | None, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item) if is_secret(key) else _secrets(None, item)
    elif isinstance(value, list):
        names = _positional_names(function) if function else iter(("",) * len(value))
        for name, item in zip(names, value, strict=False):
            yield from _texts(item) if is_secret(name) else _secrets(None, item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif isinstance(value, (str, int, float)) and len(str(value)) >= _SHORTEST:
        yield str(value)
