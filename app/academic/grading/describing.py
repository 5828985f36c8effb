"""What a test says of itself: points, visibility, number and tags, by marker or by Gradescope's decorators.

Used on both sides of the sandbox's wall, so it imports nothing of the site.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from typing import Any

VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
_MOST_TAGS, _TEXT = 20, 100


def describe(item: Any) -> dict[str, Any]:
    """Return what is known of a collected test before it runs."""
    function: Any = getattr(item, "function", item)
    visibility = _said(item, function, "__visibility__", "visibility")
    tags = getattr(function, "__tags__", None)
    number = getattr(function, "__number__", None)
    return {
        "id": item.nodeid,
        "title": _title(item, function),
        "points": _number(_said(item, function, "__weight__", "points")),
        "visibility": visibility if visibility in VISIBILITIES else None,
        "number": str(number)[:_TEXT] if isinstance(number, (str, int, float)) else "",
        "tags": [str(tag)[:_TEXT] for tag in tags[:_MOST_TAGS]] if isinstance(tags, (list, tuple)) else [],
    }


def earned(item: Any) -> float | None:
    """Return what the test itself gave, where it gives part of its points."""
    return _number(getattr(getattr(item, "function", None), "__score__", None))


def _said(item: Any, function: Any, attribute: str, marker: str) -> Any:
    if (said := getattr(function, attribute, None)) is not None:
        return said
    mark = item.get_closest_marker(marker)
    return mark.args[0] if mark is not None and mark.args else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _title(item: Any, function: Any) -> str:
    first = (getattr(function, "__doc__", None) or "").strip().partition("\n")[0].strip()
    return str(first or item.name.removeprefix("test_").replace("_", " "))[:200]
