"""What is installed is what was locked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")


def pins(lock: str) -> dict[str, str]:
    """Give the package versions of a lock."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (TOP / lock).read_text(), re.MULTILINE))


def wanted(*, dev: bool) -> set[str]:
    """Give the packages that pyproject.toml asks for."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    listed = project["dependency-groups"]["dev"] if dev else project["project"]["dependencies"]
    return {re.split(r"[<>=! \[;]", each)[0] for each in listed}


def test_the_runtime_lock_holds_what_the_project_needs() -> None:
    """A dependency that was added is locked too."""
    assert set() == wanted(dev=False) - set(pins("requirements.txt"))


def test_the_development_lock_holds_the_runtime_lock() -> None:
    """Tests run with the very versions that the site runs with."""
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()
    assert set() == wanted(dev=True) - set(pins("requirements-dev.txt"))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_hash_for_every_package_and_no_address(lock: str) -> None:
    """A package is known by what is in it, not by where it came from."""
    text = (TOP / lock).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert [] == [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert [] == re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text)
