"""Assignment folders: read, kept in the database, and laid out again where they are graded with."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from app.academic.grading.formats import MANIFEST, load_assignment
from app.academic.models import Assignment, AssignmentFile, AssignmentVersion, Course
from app.db import db

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

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
    source: str = "",
    by_id: int | None = None,
    is_draft: bool = False,
) -> Assignment:
    """Keep a folder as an assignment of the course; the same slug again makes its next version.

    A draft is kept but not graded with, and a new assignment is not shown to students, until somebody
    takes it into use. Raises `AssignmentError` or `ImportRefused` when the folder is not usable.
    """
    spec = load_assignment(folder)
    files = read_folder(folder)
    name = slug or spec.slug or slug_of(folder.resolve().name)
    known = _find(session, course, name)
    assignment = known or Assignment(course_id=course.id, slug=name, version=1, is_published=not is_draft)
    if known is None or not is_draft:
        _apply(assignment, spec, files, due_at=due_at)
        session.add(assignment)
        session.flush()
    number = _keep_files(session, assignment, files, given=spec.similarity.base)
    session.add(
        AssignmentVersion(
            assignment_id=assignment.id,
            number=number,
            source=(source or folder.name)[:255],
            imported_at=dt.datetime.now(dt.UTC),
            imported_by_id=by_id,
        )
    )
    if known is None or not is_draft:
        assignment.version = number
    session.flush()
    session.expire(assignment, ["files"])
    return assignment


def newest_version(session: Session, assignment_id: int) -> int:
    """The number of the latest import."""
    query = select(func.max(AssignmentVersion.number)).where(AssignmentVersion.assignment_id == assignment_id)
    return session.scalar(query) or 0


def use_version(session: Session, assignment: Assignment, number: int) -> None:
    """Grade with a version from now on, as it was imported; what was graded before keeps its grade."""
    with materialised(assignment, number) as folder:
        spec = load_assignment(folder)
        _apply(assignment, spec, read_folder(folder))
    assignment.version = number
    session.flush()
    session.expire(assignment, ["files"])


def _apply(
    assignment: Assignment,
    spec: AssignmentSpec,
    files: Mapping[str, bytes],
    *,
    due_at: dt.datetime | None = None,
) -> None:
    assignment.created_at = assignment.created_at or dt.datetime.now(dt.UTC)
    assignment.title = spec.title[:120]
    assignment.description = _text(files, *DESCRIPTIONS)
    assignment.points = spec.points
    assignment.max_bytes = spec.submit.max_bytes
    assignment.submit_name = spec.submit.files[0] if spec.submit.files else ""
    assignment.submit_files = "\n".join(spec.submit.files)
    assignment.similarity_kind = spec.similarity.kind
    assignment.flag_at = spec.similarity.flag_at
    assignment.due_at = due_at or spec.due or assignment.due_at
    assignment.manifest = _text(files, MANIFEST)
    _apply_policy(assignment, spec)


def _apply_policy(assignment: Assignment, spec: AssignmentSpec) -> None:
    assignment.late_due_at = spec.late_due
    assignment.late_per = spec.late.per
    assignment.late_percent = spec.late.minus_percent
    assignment.grace_seconds = round(spec.late.grace_minutes * 60)
    assignment.attempts_max = spec.attempts.max
    hours = spec.attempts.window_hours
    assignment.window_seconds = round(hours * 3600) if hours else None
    assignment.window_max = spec.attempts.window_max
    assignment.counts = spec.attempts.counts


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
def materialised(assignment: Assignment, version: int | None = None) -> Iterator[Path]:
    """Lay the assignment's files out in a private folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="assignment-", ignore_cleanup_errors=True) as name:
        folder = Path(name) / assignment.slug
        folder.mkdir(mode=0o700)
        for file in files_of(assignment, version):
            path = folder / _inside(file.path)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(file.content)
        yield folder


def files_of(assignment: Assignment, version: int | None = None) -> Sequence[AssignmentFile]:
    """The files of a version, or of the one that is graded with."""
    if version is None:
        return assignment.files
    query = (
        select(AssignmentFile)
        .where(AssignmentFile.assignment_id == assignment.id, AssignmentFile.version == version)
        .order_by(AssignmentFile.path)
    )
    found = db.session.scalars(query).all()
    if not found:
        raise ImportRefused(f"{assignment.title} has no version {version}")
    return found


def slug_of(text: str) -> str:
    """A name for addresses: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "assignment"


def _text(files: Mapping[str, bytes], *names: str) -> str:
    found = next((files[name] for name in names if name in files), b"")
    try:
        return found.decode("utf-8-sig").replace("\r\n", "\n").strip()
    except UnicodeDecodeError:
        raise ImportRefused(f"{' or '.join(names)}: expected text in UTF-8") from None


def _keep_files(
    session: Session, assignment: Assignment, files: Mapping[str, bytes], *, given: Collection[str]
) -> int:
    missing = [name for name in given if name not in files]
    if missing:
        raise ImportRefused(f"similarity: base: there is no file {missing[0]!r} in the folder")
    number = newest_version(session, assignment.id) + 1
    session.add_all(
        AssignmentFile(
            assignment_id=assignment.id,
            version=number,
            path=path,
            content=content,
            is_given=path in given,
        )
        for path, content in files.items()
    )
    return number


def _find(session: Session, course: Course, slug: str) -> Assignment | None:
    return session.scalar(
        select(Assignment).where(Assignment.course_id == course.id, Assignment.slug == slug).with_for_update()
    )


def _inside(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise ImportRefused(f"{path!r} leads out of the assignment's folder")
    return relative
