"""Zip archives for tests, also those that no program would write."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LINK, SETUID = 0o120777, 0o104777


def zipped(*entries: tuple[str, bytes], mode: int | None = None) -> bytes:
    """Give an archive; `mode` is kept in each entry as Unix programs do."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            if mode is not None:
                info.create_system, info.external_attr = 3, mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


@dataclass(frozen=True, kw_only=True)
class Raw:
    """One entry as its bytes stand in the file; what the directory says of it may be a lie."""

    name: bytes
    content: bytes
    method: int = 0
    crc: int | None = None
    size: int | None = None
    claimed: int | None = None
    flags: int = 0


def raw_zip(entries: Sequence[Raw], directory: Sequence[int] | None = None) -> bytes:
    """Give an archive byte by byte; `directory` names the entries by number, one perhaps several times."""
    body, offsets = b"", []
    for one in entries:
        offsets.append(len(body))
        body += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, one.flags, *_facts(one, one.size), 0)
        body += one.name + one.content
    listed = list(range(len(entries))) if directory is None else list(directory)
    central = b""
    for number in listed:
        one = entries[number]
        size = one.size if one.claimed is None else one.claimed
        central += struct.pack("<IHHHHHHIIIHH", 0x02014B50, 0x031E, 20, one.flags, *_facts(one, size), 0)
        central += struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, offsets[number]) + one.name
    count = len(listed)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(central), len(body), 0)
    return body + central + end


def zeros(size: int) -> Raw:
    """Give many zeros in few bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block, crc, packed = b"\0" * (1 << 20), 0, b""
    for _ in range(size >> 20):
        packed += packer.compress(block)
        crc = zlib.crc32(block, crc)
    return Raw(name=b"solution.py", content=packed + packer.flush(), method=8, crc=crc, size=size)


def _facts(one: Raw, size: int | None) -> tuple[int, ...]:
    crc = zlib.crc32(one.content) if one.crc is None else one.crc
    real = len(one.content) if size is None else size
    return one.method, 0, 0x5C21, crc, len(one.content), real, len(one.name)
