"""Zip archives from people: read member by member into memory, never unpacked onto the disk.

Nothing that the archive says of itself is believed: names are checked before anything is read, sizes are
counted while reading. One bad member refuses the whole archive.
"""

from __future__ import annotations

import io
import re
import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.academic.uploads import BINARY, UploadRejected, hidden_characters, suffix_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MEBIBYTE: Final = 1 << 20
_PATH_LIMIT, _DEPTH_LIMIT = 255, 10
# Below this a good compression harms nobody: 256 KiB of one letter.
_RATIO_FLOOR: Final = 256 << 10
_LOCAL_HEADER: Final = 30
# What systems put into archives by themselves.
_LEFT_BY_SYSTEMS = frozenset(
    {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", "__pycache__", ".git", ".pytest_cache"}
)
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".jar", ".whl", ".egg")
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much an archive may hold."""

    entries: int
    bytes: int = 20 * _MEBIBYTE
    ratio: int = 100


HAND_IN: Final = Bounds(entries=50)
IMPORT: Final = Bounds(entries=200)


def is_zip(content: bytes) -> bool:
    """Whether the bytes begin as a zip archive does."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read_zip(content: bytes, bounds: Bounds) -> dict[str, bytes]:
    """Give the files by their path; `UploadRejected` says which entry is wrong and what was expected."""
    if not is_zip(content):
        raise UploadRejected("Archive: it does not begin as a zip archive does. Expected a plain .zip file.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _checked(archive, bounds)
            return _read_all(archive, members, bounds)
    except _BROKEN as error:
        if isinstance(error, UploadRejected):
            raise
        raise UploadRejected(f"Archive: it is damaged and cannot be read ({str(error)[:80]}).") from error


def without_top_folder(files: dict[str, bytes], kept: Iterable[str] = ()) -> tuple[str, dict[str, bytes]]:
    """Give the folder that everything lies in, or nothing, and the files by their path in it.

    Folders in `kept` mean something where they are and are not taken off.
    """
    tops = {path.partition("/")[0] for path in files}
    top = next(iter(tops), "")
    if len(tops) != 1 or top in files or top in kept:
        return "", files
    return top, {path.removeprefix(f"{top}/"): content for path, content in files.items()}


def _checked(archive: zipfile.ZipFile, bounds: Bounds) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > bounds.entries:
        raise UploadRejected(f"Archive: it has {len(members)} entries; at most {bounds.entries} are taken.")
    for member in members:
        if problem := _problem_of(member, bounds):
            raise UploadRejected(f"Archive: {_shown(member.orig_filename)} {problem}.")
    _refuse_overlaps(members)
    files = [member for member in members if not member.is_dir()]
    _refuse_twins([member.filename for member in files])
    wanted = [member for member in files if not _is_left_by_systems(member.filename)]
    if not wanted:
        raise UploadRejected("Archive: there is no file in it.")
    return wanted


def _problem_of(member: zipfile.ZipInfo, bounds: Bounds) -> str:
    name = member.orig_filename
    return _name_problem(name) or _path_problem(name.removesuffix("/")) or _kind_problem(member, bounds)


def _name_problem(name: str) -> str:
    if not name.strip("/"):
        return "has no name"
    if "\0" in name or hidden_characters(name):
        return "has control characters in its name"
    if len(name.encode("utf-8", "replace")) > _PATH_LIMIT:
        return f"has a path longer than {_PATH_LIMIT} bytes"
    if "\\" in name or re.match(r"[A-Za-z]:", name):
        return "is a Windows path; expected names with plain slashes"
    return ""


def _path_problem(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or {"", ".", ".."}.intersection(parts):
        return "leads out of the archive; expected a path inside it"
    if len(parts) > _DEPTH_LIMIT:
        return f"lies more than {_DEPTH_LIMIT} folders deep"
    if any(part.startswith("-") or part != part.strip() or part.endswith(".") for part in parts):
        return "has a name that begins with a hyphen or ends with a space or a dot"
    return ""


def _kind_problem(member: zipfile.ZipInfo, bounds: Bounds) -> str:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return "is a link or a device; expected plain files"
    if member.flag_bits & 1:
        return "is encrypted; expected an archive without a password"
    if member.compress_type not in _METHODS:
        return "is compressed in an unusual way; expected an ordinary zip archive"
    if member.file_size > bounds.bytes:
        return f"is larger than {bounds.bytes // _MEBIBYTE} MiB"
    if member.filename.lower().endswith(_ARCHIVES):
        return "is an archive in the archive; expected the files themselves"
    return ""


def _refuse_overlaps(members: Sequence[zipfile.ZipInfo]) -> None:
    end = 0
    for member in sorted(members, key=lambda it: it.header_offset):
        if member.header_offset < end:
            raise UploadRejected(f"Archive: {_shown(member.filename)} shares its bytes with another entry.")
        end = member.header_offset + _LOCAL_HEADER + member.compress_size


def _refuse_twins(names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in seen:
            how = "twice" if seen[folded] == name else f"beside {_shown(seen[folded])}, the same but for case"
            raise UploadRejected(f"Archive: {_shown(name)} is there {how}.")
        seen[folded] = name
    for folded, name in seen.items():
        parents = folded.split("/")[:-1]
        if any("/".join(parents[:depth]) in seen for depth in range(1, len(parents) + 1)):
            raise UploadRejected(f"Archive: {_shown(name)} lies in what is a file there.")


def _is_left_by_systems(path: str) -> bool:
    parts = path.split("/")
    return bool(_LEFT_BY_SYSTEMS.intersection(parts)) or parts[-1].startswith("._")


def _read_all(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], bounds: Bounds
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = bounds.bytes
    for member in members:
        content = _read(archive, member, left, bounds)
        left -= len(content)
        files[member.filename] = content
    return files


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, bounds: Bounds) -> bytes:
    most = min(left, max(_RATIO_FLOOR, bounds.ratio * member.compress_size))
    with archive.open(member) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise UploadRejected(
            f"Archive: {_shown(member.filename)} unpacks to more than {bounds.ratio} times its size "
            f"or makes the whole larger than {bounds.bytes // _MEBIBYTE} MiB."
        )
    if len(content) != member.file_size:
        raise UploadRejected(f"Archive: {_shown(member.filename)} has another size than the archive says.")
    # Office documents are zip archives too; they are kept as they are and never opened.
    if is_zip(content) and suffix_of(member.filename) not in BINARY:
        raise UploadRejected(f"Archive: {_shown(member.filename)} is an archive in the archive.")
    return content


def _shown(name: str) -> str:
    return ascii(name[:80])
