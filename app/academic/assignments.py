"""Assignment folders: read, kept in the database, and laid out again where they are graded with."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from app.academic.grading.formats import MANIFEST, load_assignment
from app.academic.models import Assignment, AssignmentFile, Course

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sqlalchemy.orm import Session

    from app.academic.grading.formats import AssignmentSpec

DESCRIPTIONS: Final = ("description.txt", "README.txt", "README.md", "assignment.md")
MAX_FILES: Final = 200
MAX_BYTES: Final = 5_000_000
_IGNORED: Final = frozenset({"__pycache__", ".git", ".pytest_cache", "__MACOSX", ".DS_Store"})


class ImportRefused(ValueError):
    """The folder cannot become an assignment; the message says why."""


def import_folder(
    session: Session,
    course: Course,
    folder: Path,
    *,
    slug: str | None = None,
    due_at: dt.datetime | None = None,
) -> Assignment:
    """Keep a folder as an assignment of the course; the same slug again replaces its files.

    Raises `AssignmentError` or `ImportRefused` when the folder is not usable.
    """
    spec = load_assignment(folder)
    name = slug or slug_of(folder.resolve().name)
    assignment = _find(session, course, name) or Assignment(
        course_id=course.id, slug=name, created_at=dt.datetime.now(dt.UTC)
    )
    files = read_folder(folder)
    assignment.title = spec.title
    assignment.description = _text(files, *DESCRIPTIONS)
    assignment.points = spec.points
    assignment.max_bytes = spec.submit.max_bytes
    assignment.submit_name = _only_file(spec)
    assignment.similarity_kind = spec.similarity.kind
    assignment.flag_at = spec.similarity.flag_at
    assignment.due_at = due_at or spec.due or assignment.due_at
    assignment.manifest = _text(files, MANIFEST)
    session.add(assignment)
    session.flush()
    _replace_files(session, assignment, files, given=spec.similarity.base)
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


def _only_file(spec: AssignmentSpec) -> str:
    if len(spec.submit.files) != 1:
        raise ImportRefused(
            f"submit: files: expected one file, as students hand in one; there are {len(spec.submit.files)}"
        )
    return spec.submit.files[0]


def _text(files: Mapping[str, bytes], *names: str) -> str:
    found = next((files[name] for name in names if name in files), b"")
    try:
        return found.decode("utf-8-sig").replace("\r\n", "\n").strip()
    except UnicodeDecodeError:
        raise ImportRefused(f"{' or '.join(names)}: expected text in UTF-8") from None


def _replace_files(
    session: Session, assignment: Assignment, files: Mapping[str, bytes], *, given: Collection[str]
) -> None:
    missing = [name for name in given if name not in files]
    if missing:
        raise ImportRefused(f"similarity: base: there is no file {missing[0]!r} in the folder")
    # The old rows go first: a path may be there only once.
    session.execute(delete(AssignmentFile).where(AssignmentFile.assignment_id == assignment.id))
    session.add_all(
        AssignmentFile(assignment_id=assignment.id, path=path, content=content, is_given=path in given)
        for path, content in files.items()
    )
    session.flush()
    session.expire(assignment, ["files"])


def _find(session: Session, course: Course, slug: str) -> Assignment | None:
    return session.scalar(
        select(Assignment).where(Assignment.course_id == course.id, Assignment.slug == slug).with_for_update()
    )


def _inside(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise ImportRefused(f"{path!r} leads out of the assignment's folder")
    return relative
