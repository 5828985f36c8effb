"""Every route of the site as something that can be asked, for tests that walk them all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from werkzeug.routing import AnyConverter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from werkzeug.routing import BaseConverter, Rule

SAMPLES: Final = {"IntegerConverter": "1", "UUIDConverter": "00000000-0000-4000-8000-000000000000"}


def calls(application: Flask) -> Iterator[tuple[str, str, str]]:
    """Give method, address and endpoint of everything that can be asked."""
    for rule in application.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, address(rule), rule.endpoint


def address(rule: Rule) -> str:
    """Fill a rule's variables with values that fit."""
    built = rule.build({name: sample(converter) for name, converter in rule._converters.items()})
    assert built is not None
    return built[1]


def sample(converter: BaseConverter) -> str:
    """Give a value that the converter accepts."""
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return SAMPLES.get(type(converter).__name__, "x")


def without_tokens(page: str) -> str:
    """Give a page without what is new in it each second: the tokens of its forms."""
    return re.sub(r"[\w-]{20,}\.[\w-]{6}\.[\w-]{20,}", "token", page)
