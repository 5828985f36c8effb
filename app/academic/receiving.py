"""What a student's form brought, matched with the files that the assignment asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from app.academic.archives import HAND_IN, is_zip, read_zip, without_top_folder
from app.academic.uploads import Upload, UploadRejected, check_upload, suffix_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Received:
    """What is kept, and what of an archive was left out because nobody asked for it."""

    uploads: tuple[Upload, ...]
    left_out: tuple[str, ...] = ()


def received(sent: Sequence[tuple[str, bytes]], expected: Sequence[str], *, max_bytes: int) -> Received:
    """Check what was sent, as files or as one zip archive; `UploadRejected` says what to change."""
    if len(sent) == 1 and _is_archive(*sent[0], expected):
        return _from_archive(sent[0][1], expected, max_bytes)
    if any(_is_archive(name, content, expected) for name, content in sent):
        raise UploadRejected("File: an archive came with other files. Send one archive, or the files.")
    if len(expected) == 1:
        return Received(uploads=(_only(sent, expected[0], max_bytes),))
    return _several(_by_name(sent), expected, max_bytes)


def _is_archive(name: str, content: bytes, expected: Sequence[str]) -> bool:
    return name.lower().endswith(".zip") and is_zip(content) and ".zip" not in map(suffix_of, expected)


def _only(sent: Sequence[tuple[str, bytes]], expected: str, max_bytes: int) -> Upload:
    if len(sent) > 1:
        raise UploadRejected(f"File: {len(sent)} came at once. This assignment takes one file, {expected}.")
    name, content = sent[0]
    return check_upload(name, content, max_bytes=max_bytes, expected=expected)


def _by_name(sent: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, content in sent:
        if name in found:
            raise UploadRejected(f"File: {name} came twice. Send each file once.")
        found[name] = content
    return found


def _from_archive(content: bytes, expected: Sequence[str], max_bytes: int) -> Received:
    _, files = without_top_folder(read_zip(content, HAND_IN))
    if len(expected) > 1:
        return _several(files, expected, max_bytes, is_archive=True)
    path = _find(files, expected[0]) or _only_of_kind(files, suffix_of(expected[0]))
    if path is None:
        raise _missing([expected[0]], expected, files)
    upload = _checked(path, files[path], expected[0], max_bytes)
    return Received(uploads=(upload,), left_out=tuple(sorted(set(files) - {path})))


def _several(
    files: Mapping[str, bytes], expected: Sequence[str], max_bytes: int, *, is_archive: bool = False
) -> Received:
    found = {name: path for name in expected if (path := _find(files, name)) is not None}
    if missing := [name for name in expected if name not in found]:
        raise _missing(missing, expected, files)
    extra = sorted(set(files) - set(found.values()))
    if extra and not is_archive:
        raise UploadRejected(f"File: {_listed(extra)} was not asked for. Expected {_listed(expected)}.")
    total = sum(len(files[path]) for path in found.values())
    if total > max_bytes:
        raise UploadRejected(f"Files: they have {total:,} bytes together; at most {max_bytes:,} are taken.")
    uploads = [
        replace(_checked(path, files[path], name, max_bytes), submit_as=name) for name, path in found.items()
    ]
    return Received(uploads=tuple(uploads), left_out=tuple(extra))


def _find(files: Mapping[str, bytes], name: str) -> str | None:
    if name in files:
        return name
    base = PurePosixPath(name).name
    same = [path for path in files if PurePosixPath(path).name == base]
    return same[0] if len(same) == 1 else None


def _only_of_kind(files: Mapping[str, bytes], suffix: str) -> str | None:
    same = [path for path in files if suffix_of(path) == suffix]
    return same[0] if len(same) == 1 else None


def _checked(path: str, content: bytes, expected: str, max_bytes: int) -> Upload:
    try:
        return check_upload(path, content, max_bytes=max_bytes, expected=expected)
    except UploadRejected as error:
        raise UploadRejected(f"{path[:80]}: {error}") from error


def _missing(missing: Sequence[str], expected: Sequence[str], files: Mapping[str, bytes]) -> UploadRejected:
    known = {path.lower(): path for path in files}
    near = [known[name.lower()] for name in missing if name.lower() in known]
    hint = f" ({_listed(near)} differs in case.)" if near else ""
    return UploadRejected(f"File: {_listed(missing)} is missing. Expected {_listed(expected)}.{hint}")


def _listed(names: Sequence[str]) -> str:
    shown = [name[:80] for name in names[:10]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def accepted_kinds(expected: Sequence[str]) -> str:
    """What the file chooser of a browser offers: the kinds of the files, and archives."""
    kinds = dict.fromkeys(suffix_of(name) for name in expected)
    return ",".join([*(kind for kind in kinds if kind), ".zip"])
