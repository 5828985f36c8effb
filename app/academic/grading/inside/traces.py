"""Where in the student's files an exception came from, as the student reads it."""

from __future__ import annotations

from app.academic.grading.inside.surroundings import NO_CHILDREN

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from types import TracebackType

_CHILD_MODULES = ("/multiprocessing/", "/subprocess.py", "/concurrent/futures/process.py")
_MOST_LINES = 10


def trace(error: BaseException, code: str) -> str:
    """Return the lines of the files below the folder `code` that led to error."""
    lines, at = [], error.__traceback__
    children = isinstance(error, PermissionError) and NO_CHILDREN in str(error)
    while at is not None:
        path = at.tb_frame.f_code.co_filename
        children = children or any(part in path for part in _CHILD_MODULES)
        if path.startswith(code):
            lines.append(_trace_line(at, path, code))
        at = at.tb_next
    if isinstance(error, SyntaxError):
        where = str(error.filename).removeprefix(code).strip("/")
        lines.append(f"{where}, line {error.lineno}: {error.text or ''}".rstrip())
    if children:
        lines.append(f"({NO_CHILDREN}; subprocess and multiprocessing cannot be used)")
    return "\n".join([*lines[:5], *(["..."] if len(lines) > _MOST_LINES else []), *lines[5:][-_MOST_LINES:]])


def _trace_line(at: TracebackType, path: str, code: str) -> str:
    name = at.tb_frame.f_code.co_name
    text = ""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:  # noqa: PTH123 - runs alone, and pathlib costs 4 ms
            text = source.read(1 << 20).split("\n")[at.tb_lineno - 1].strip()[:200]
    except (OSError, IndexError):
        text = ""
    where = path.removeprefix(code).strip("/")
    return f"{where}, line {at.tb_lineno}, in {name}: {text}"
