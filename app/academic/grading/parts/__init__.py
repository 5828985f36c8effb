"""The kinds of parts an assignment may have: each module here is one type.

The module's name is the type's, with a hyphen for every underscore: `python_tests` reads the parts of
`type: python-tests`. It offers what `PartType` describes, and nothing else has to know of it.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from app.academic.grading.parts.base import PartType

USUAL = "python-tests"


@cache
def part_types() -> Mapping[str, PartType]:
    """Every type by the name it has in a manifest, the usual one first."""
    names = [found.name for found in pkgutil.iter_modules(__path__) if found.name != "base"]
    types = {name.replace("_", "-"): cast("PartType", import_module(f"{__name__}.{name}")) for name in names}
    return dict(sorted(types.items(), key=lambda item: (item[0] != USUAL, item[0])))


def type_for(folder: Path) -> str:
    """The type of the only part of a folder whose manifest names none."""
    others = (name for name in part_types() if name != USUAL)
    return next((name for name in others if part_types()[name].recognises(folder)), USUAL)
