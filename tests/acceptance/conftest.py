"""What acceptance tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launching import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An application with jobs of its own, and nothing of it left afterwards."""
    made = House(tmp_path)
    yield made
    made.end()
