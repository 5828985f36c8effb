"""Assignments as people bring them: a folder, a zip archive, or one test file."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from app.academic.archives import IMPORT, is_zip, read_zip, without_top_folder
from app.academic.assignments import ImportRefused, slug_of
from app.academic.uploads import UploadRejected, check_upload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BYTES: Final = 20 << 20
# These mean something where they are, also when they are all there is.
_OF_AN_ASSIGNMENT: Final = frozenset({"tests", "solution", "stub", "source", "cases"})


@contextmanager
def brought_folder(path: Path) -> Iterator[Path]:
    """Give an assignment's folder for a folder, an archive or a test file on this machine."""
    if path.is_dir():
        yield path
        return
    if path.stat().st_size > MAX_BYTES:
        raise ImportRefused(f"{path.name} is larger than {MAX_BYTES >> 20} MiB")
    with unpacked(path.name, path.read_bytes()) as folder:
        yield folder


@contextmanager
def unpacked(name: str, content: bytes) -> Iterator[Path]:
    """Give a private folder with what was uploaded; gone afterwards. Raises `UploadRejected`."""
    if is_zip(content) and name.lower().endswith(".zip"):
        top, files = without_top_folder(read_zip(content, IMPORT), _OF_AN_ASSIGNMENT)
        stem = top or PurePosixPath(name).stem
    elif name.lower().endswith(".py"):
        upload = check_upload(name, content, max_bytes=MAX_BYTES, expected="test_solution.py")
        stem, files = _as_test(PurePosixPath(upload.name).name), {}
        files[f"test_{stem}.py"] = content
    else:
        raise UploadRejected(
            "File: expected a .zip archive of the assignment's folder, or one .py test file."
        )
    with written(stem, files) as folder:
        yield folder


@contextmanager
def written(name: str, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Write files into a private folder of that name."""
    with tempfile.TemporaryDirectory(prefix="import-", ignore_cleanup_errors=True) as place:
        folder = Path(place) / slug_of(name)
        folder.mkdir(mode=0o700)
        for path, data in files.items():
            target = folder / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_bytes(data)
        yield folder


def _as_test(name: str) -> str:
    stem = re.sub(r"\W+", "_", name.rsplit(".", 1)[0])
    return stem.removeprefix("test_").removesuffix("_test") or "assignment"
