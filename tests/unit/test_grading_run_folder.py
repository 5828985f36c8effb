"""Run folders are gone afterwards, whatever is in them."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from app.academic.grading.run_folder import remove_tree, run_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the folders of these tests apart."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_is_gone_after_the_run() -> None:
    """The run's end removes its folder."""
    with run_folder() as folder:
        (folder / "file").touch()

    assert not folder.exists()


def test_a_deep_tree_is_removed(tmp_path: Path) -> None:
    """3,000 folders in each other, unreadable ones too, need neither recursion nor long paths."""
    top = tmp_path / "deep"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for depth in range(3000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        if depth % 500 == 0:
            os.fchmod(here, 0o100)
        os.close(here)
        here = inner
    os.close(here)

    remove_tree(top)

    assert [] == list(tmp_path.iterdir())


def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    """What a link points to belongs to somebody else."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(other)
    os.mkfifo(tmp_path / "run" / "fifo")

    remove_tree(tmp_path / "run")

    assert [other] == list(tmp_path.iterdir())
    assert (other / "kept").exists()


def test_folders_of_dead_processes_are_swept(tmp_path: Path) -> None:
    """A job that was killed leaves its folder; the next run removes it, and leaves those of the living."""
    base = tmp_path / f"grading-{os.geteuid()}"
    with run_folder() as living:
        (base / "4194305-1-abc.left").mkdir()
        (base / f"{os.getpid()}-1-abc.reused-number").mkdir()
        with run_folder():
            pass

        assert [living] == list(base.iterdir())


def test_a_foreign_base_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who made our folder first could see what is graded."""
    (tmp_path / "grading-4711").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    with pytest.raises(PermissionError, match="belongs to somebody else"), run_folder():
        pass
