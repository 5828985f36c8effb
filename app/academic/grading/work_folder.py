"""The folder a box may write to: made for its user, and measured where it is no file system of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_work_folder(run: Path, user: int | None) -> Path:
    """Make a fresh folder that only the user of the box can enter."""
    work = run / f"work-{os.urandom(6).hex()}"
    work.mkdir(mode=0o700)
    if user is not None:
        os.chown(work, user, user)
    return work


def holds_more(folder: Path, files: int, size: int) -> bool:
    """Tell whether a folder holds more files or more bytes than these."""
    waiting, count, total = [str(folder)], 0, 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if count > files or total > size:
                        return True
        except OSError:
            continue
    return False
