"""Assignment folders: read, kept in the database, and laid out again where they are graded with."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.grading import load_assignment
from app.academic.models import Assignment, AssignmentFile, Course

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

MANIFEST: Final = "assignment.yaml"
MAX_FILES: Final = 200
MAX_BYTES: Final = 5_000_000
_IGNORED: Final = frozenset({"__pycache__", ".git", ".pytest_cache", "__MACOSX", ".DS_Store"})


class ImportRefused(ValueError):
    """The folder cannot become an assignment; the message says why."""


def import_folder(
    session: Session, course: Course, folder: Path, *, slug: str | None = None, due_at: dt.datetime | None = None
) -> Assignment:
    """Keep a folder as an assignment of the course; the same slug again replaces its files.

    Raises `AssignmentError` or `ImportRefused` when the folder is not usable.
    """
    spec = load_assignment(folder)
    name = slug or slug_of(folder.resolve().name)
    assignment = _find(session, course, name) or Assignment(
        course_id=course.id, slug=name, created_at=dt.datetime.now(dt.UTC)
    )
    assignment.title = spec.title
    assignment.description = spec.description
    assignment.points = spec.points
    assignment.max_bytes = spec.max_bytes
    assignment.submit_name = spec.submit_files[0]
    assignment.flag_at = spec.flag_at
    assignment.due_at = due_at or spec.due_at or assignment.due_at
    manifest = folder / MANIFEST
    assignment.manifest = manifest.read_text("utf-8") if manifest.is_file() else ""
    given = set(spec.base_files)
    assignment.files = [
        AssignmentFile(path=path, content=content, is_given=path in given)
        for path, content in read_folder(folder).items()
    ]
    session.add(assignment)
    session.flush()
    return assignment


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their path in it; links and what tools leave behind are not among them."""
    found: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if _IGNORED.intersection(relative.parts) or path.is_symlink() or not path.is_file():
            continue
        total += path.stat().st_size
        if len(found) >= MAX_FILES or total > MAX_BYTES:
            raise ImportRefused(
                f"{folder}: an assignment has at most {MAX_FILES} files of {MAX_BYTES:,} bytes in all"
            )
        found[relative.as_posix()] = path.read_bytes()
    return found


@contextmanager
def materialised(assignment: Assignment) -> Iterator[Path]:
    """Lay the assignment's files out in a private folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="assignment-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for file in assignment.files:
            path = folder / _inside(file.path)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(file.content)
        yield folder


def slug_of(text: str) -> str:
    """A name for addresses: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "assignment"


def _find(session: Session, course: Course, slug: str) -> Assignment | None:
    return session.scalar(
        select(Assignment).where(Assignment.course_id == course.id, Assignment.slug == slug).with_for_update()
    )


def _inside(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise ImportRefused(f"{path!r} leads out of the assignment's folder")
    return relative
