"""On a crowded machine, what only the clock has ended is run once more, alone; nothing else is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from app.academic.grading import alone
from app.academic.grading.formats import load_assignment
from app.academic.grading.grader import grade
from app.academic.grading.parts import python_tests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MANIFEST = "parts: [{path: ., limits: {cpu: 1, wall: 1.5}}]\n"
SLEEPS = b"import time\ndef f(): time.sleep(60)\n"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, bool], int]:
    """Grade a program on a machine that is crowded or not; return how often its tests were run."""
    (tmp_path / "assignment.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "test_it.py").write_text("import solution\ndef test_a(): solution.f()\n", encoding="utf-8")
    made = []
    run = python_tests._run

    def counted(*arguments: object) -> object:
        made.append(1)
        return run(*arguments)  # type: ignore[arg-type]

    def graded(program: bytes, is_crowded: bool) -> int:  # noqa: FBT001 - a parameter of the tests
        monkeypatch.setattr(python_tests, "is_crowded", lambda: is_crowded)
        monkeypatch.setattr(python_tests, "_run", counted)
        report = grade(load_assignment(tmp_path), {"solution.py": program})
        assert "time_limit" == report.verdict
        return len(made)

    return graded


def test_the_clock_alone_gets_a_second_chance(runs: Callable[[bytes, bool], int]) -> None:
    """A test that waited too long on a crowded machine runs once more, and only once."""
    assert 2 == runs(SLEEPS, True)


def test_a_calm_machine_is_no_excuse(runs: Callable[[bytes, bool], int]) -> None:
    """Where nothing else wants to run, the clock is believed at once."""
    assert 1 == runs(SLEEPS, False)


def test_whoever_runs_alone_waits_for_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run begins when those that run have finished; who comes later waits for it."""
    monkeypatch.setattr(alone, "base_folder", lambda: tmp_path)
    order: list[str] = []
    inside, asked = threading.Event(), threading.Event()

    def first() -> None:
        with alone.together():
            inside.set()
            asked.wait(10)
            order.append("first")

    def second() -> None:
        asked.set()
        with alone.alone():
            order.append("alone")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    with alone.together():
        order.append("later")

    assert ["first", "alone", "later"] == order


def test_waiting_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grading goes on though a run beside it hangs for longer than patience lasts."""
    monkeypatch.setattr(alone, "base_folder", lambda: tmp_path)
    monkeypatch.setattr(alone, "_PATIENCE_SECONDS", 0.0)

    with alone.together(), alone.alone():
        assert (tmp_path / "turn.lock").exists()
