"""What must hold before a submission can be graded at all; nothing here runs or parses the student's code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.academic.grading.formats import AssignmentSpec

# Python reads the encoding from the first two lines; another one than UTF-8 would let comments become code.
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_UTF_8 = frozenset({b"utf-8", b"utf8", b"utf_8", b"utf-8-sig", b"ascii", b"us-ascii"})


def find_fault(spec: AssignmentSpec, files: Mapping[str, bytes]) -> str | None:
    """Return why the files cannot be graded, in a sentence for the student, or None."""
    missing = [name for name in spec.submit.files if name not in files]
    if missing:
        return f"Not graded: {_listed(missing)} is missing. Hand in {_listed(list(spec.submit.files))}."
    size = sum(len(files[name]) for name in spec.submit.files)
    if size > spec.submit.max_bytes:
        return (
            f"Not graded: the files have {size} bytes together; at most {spec.submit.max_bytes} are allowed."
        )
    for name in spec.submit.files:
        if name.endswith(".py") and (fault := _fault_of_text(files[name])) is not None:
            return f"Not graded: {name} {fault}."
    return None


def _fault_of_text(data: bytes) -> str | None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"is not a text in UTF-8 (at byte {error.start})"
    if b"\0" in data:
        return "contains a NUL character"
    for line in data.splitlines()[:2]:
        found = _CODING.match(line)
        if found and found[1].lower() not in _UTF_8:
            return f"declares the encoding {found[1].decode()}; only UTF-8 is allowed"
    return None


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
