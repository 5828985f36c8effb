"""What stress tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stress.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An application whose jobs are watched, and nothing of it left afterwards."""
    made = World(tmp_path)
    yield made
    made.end()
