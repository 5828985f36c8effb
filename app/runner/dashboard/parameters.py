"""Query parameters read and checked: every value is usable, or one sentence says which is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from app.runner.models import PRIORITIES, STATUSES
from app.runner.queries import Cursor, Filters, cut, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.datastructures import MultiDict

MAX_LENGTH: Final = 200
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)

LIST: Final = ("status", "priority", "class", "q", "before", "after")
FAILURES: Final = ("class", "q", "before", "after")


class BadParameter(ValueError):
    """A query parameter has a value that cannot be used; the message names it."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        """Say what was given and what was expected."""
        self.name = name
        given = f"“{shown(value)}”" if value else "nothing"
        super().__init__(f"“{shown(name)}” must be {expected}, not {given}.")


class UnknownParameter(BadParameter):
    """A query parameter that no view has; a misspelt filter must not look like an unfiltered list."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name it, and those there are."""
        self.name = name
        listed = ", ".join(known)
        ValueError.__init__(self, f"There is no filter “{shown(name)}”; the filters are {listed}.")


class RepeatedParameter(BadParameter):
    """A query parameter given twice; only one could be obeyed."""

    def __init__(self, name: str) -> None:
        """Name it."""
        self.name = name
        ValueError.__init__(self, f"The filter “{name}” is given more than once.")


def shown(text: str) -> str:
    """Write what somebody sent so that it can stand in a sentence."""
    return cut(visible(text), 60)


def read(arguments: MultiDict[str, str], known: tuple[str, ...]) -> dict[str, str]:
    """Give the parameters that have a value; raises `BadParameter` for those that cannot be used."""
    for name, values in arguments.lists():
        if name not in known:
            raise UnknownParameter(name, known)
        if len(values) > 1:
            raise RepeatedParameter(name)
    given = {name: value.strip() for name, value in arguments.items() if value.strip()}
    for name, value in given.items():
        _check_text(name, value)
    return given


def _check_text(name: str, value: str) -> None:
    if len(value) > MAX_LENGTH:
        raise BadParameter(name, value, f"at most {MAX_LENGTH} characters long")
    if "\0" in value:
        raise BadParameter(name, value, "a text without NUL characters")


def filters_of(given: dict[str, str]) -> Filters:
    """Make the filters of a list."""
    return Filters(
        status=_choice("status", given, STATUSES),
        priority=_priority(given),
        class_name=given.get("class"),
        text=given.get("q"),
    )


def cursor_of(given: dict[str, str]) -> Cursor:
    """Make the place from where a list goes on."""
    cursor = Cursor(before=number_of("before", given), after=number_of("after", given))
    if cursor.before is not None and cursor.after is not None:
        raise BadParameter("after", given["after"], "left out when “before” is given")
    return cursor


def number_of(name: str, given: dict[str, str]) -> int | None:
    """Read a positive number, if it is given."""
    if name not in given:
        return None
    if not _NUMBER.fullmatch(given[name]):
        raise BadParameter(name, given[name], "a positive number")
    return int(given[name])


def flag_of(name: str, given: dict[str, str]) -> bool:
    """Read a switch: `1`, or not given."""
    if given.get(name, "1") != "1":
        raise BadParameter(name, given[name], "1, or left out")
    return name in given


def _choice(name: str, given: dict[str, str], choices: tuple[str, ...]) -> str | None:
    if name in given and given[name] not in choices:
        raise BadParameter(name, given[name], f"one of {', '.join(choices)}")
    return given.get(name)


def _priority(given: dict[str, str]) -> int | None:
    numbers = [str(number) for number in PRIORITIES]
    if "priority" in given and given["priority"] not in numbers:
        raise BadParameter("priority", given["priority"], "1 (high), 2 (medium) or 3 (low)")
    return int(given["priority"]) if "priority" in given else None


def as_arguments(filters: Filters) -> dict[str, str]:
    """Write filters as the query parameters they came from, for the links of a page."""
    values = {
        "status": filters.status,
        "priority": str(filters.priority) if filters.priority else None,
        "class": filters.class_name,
        "q": filters.text,
    }
    return {name: value for name, value in values.items() if value}
