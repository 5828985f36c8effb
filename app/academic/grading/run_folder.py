"""The folder of one grading run on disk: made, found again when its owner died, removed whatever it holds."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRAVERSABLE = 0o711  # another user's box passes through, and sees no names


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Give a fresh folder that is gone afterwards."""
    base = base_folder()
    _sweep(base)
    folder = Path(tempfile.mkdtemp(prefix=f"{_owner(os.getpid())}.", dir=base))
    folder.chmod(_TRAVERSABLE)
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder of any depth, links and unreadable folders included, without following a link."""
    try:
        top = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        _remove_below(top, folder.name)
    finally:
        os.close(top)


def _remove_below(top: int, name: str) -> None:
    # Deep folders are moved up beside the first one, so that depth needs neither recursion nor descriptors.
    waiting, moved = [name], 0
    while waiting:
        folder = waiting[-1]
        inner = _empty(top, folder)
        if not inner:
            waiting.pop()
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(folder, dir_fd=top)
            continue
        for one in inner:
            moved += 1
            beside = f"{name}.removed-{moved}"
            os.rename(f"{folder}/{one}", beside, src_dir_fd=top, dst_dir_fd=top)
            waiting.append(beside)


def _empty(top: int, folder: str) -> list[str]:
    """Remove the files of one folder; return the names of the folders in it."""
    with contextlib.suppress(FileNotFoundError):
        os.chmod(folder, stat.S_IRWXU, dir_fd=top)
    try:
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    except FileNotFoundError:
        return []
    inner = []
    try:
        with os.scandir(here) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.name, stat.S_IRWXU, dir_fd=here)
                    inner.append(entry.name)
                else:
                    os.unlink(entry.name, dir_fd=here)
    finally:
        os.close(here)
    return inner


def base_folder() -> Path:
    """Return the folder of all runs of this user, and of nobody else."""
    base = Path(tempfile.gettempdir()) / f"grading-{os.geteuid()}"
    base.mkdir(mode=_TRAVERSABLE, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{base} belongs to somebody else; set TMPDIR to a folder of your own")
    base.chmod(_TRAVERSABLE)
    return base


def _sweep(base: Path) -> None:
    for folder in base.iterdir():
        owner = folder.name.partition(".")[0]
        number = owner.partition("-")[0]
        if number.isdecimal() and owner != _owner(int(number)):
            remove_tree(folder)


def _owner(process: int) -> str:
    """Return a name for a process that no later one can have."""
    try:
        started = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return "gone"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")[:12]
    return f"{process}-{started}-{boot}"
