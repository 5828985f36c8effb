"""The promised times hold where a process is hit at its most awkward moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from app.runner import processes
from tests.launching import House, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SWEPT_SECONDS = 5.0
# A module of handlers that is not loaded before somebody opens the gate.
_SLOW = """
import os, signal
open("loading", "w").close()
while not os.path.exists("gate"):
    signal.sigtimedwait([], 0.02)
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with SQLite."""
    made = House(tmp_path)
    yield made
    made.end()


def test_a_warm_parent_that_still_loads_ends_with_its_launcher(house: House) -> None:
    """However long handlers take to load: the killed launcher's warm parent is gone within 5 s."""
    work = house.folder / "work.py"
    work.write_text(_SLOW + work.read_text(encoding="utf-8"), encoding="utf-8")
    launcher = house.launch()
    until((house.folder / "loading").exists, "the warm parent loads")
    (warm_parent,) = psutil.Process(launcher.pid).children()

    launcher.kill()

    try:
        until(lambda: processes.start_time(warm_parent.pid) is None, "it is gone", SWEPT_SECONDS)
    finally:
        (house.folder / "gate").touch()
