"""The clock on the wall is set, back and forward, under a launcher at work."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from app.runner import maintenance
from app.runner.maintenance import SILENT_SECONDS, Silence
from app.runner.models import LauncherRow
from tests.launching import until
from tests.stress import laws
from tests.stress.chaos import Tally

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stress.world import World

HOUR = 3600
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

# The application's own idea of the time, in every process of it: the clock plus what a file says.
CLOCK = """
import datetime as dt, os, time

class Clock(dt.datetime):
    @classmethod
    def now(cls, tz=None):
        try:
            with open(os.environ["STRESS_CLOCK"]) as file:
                ahead = float(file.read() or 0)
        except OSError:
            ahead = 0.0
        return cls.fromtimestamp(time.time() + ahead, tz)

dt.datetime = Clock
"""


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_clock_that_is_set_disturbs_nothing_that_runs(world: World, ahead: int) -> None:
    """An hour back or forward: no attempt is ended or doubled by it, none lost, and work goes on."""
    clock = _clock(world)
    running = [world.put("sleep", f"r{each}", 1.5, timeout=20)[0] for each in range(2)]
    first, second = world.launch_slots(2), world.launch_slots(2)
    until(lambda: _running(world) == 2, "jobs run")

    clock.write_text(str(ahead), encoding="utf-8")

    later = [world.put("noop", f"l{each}", delay=0.2)[0] for each in range(10)]
    if ahead < 0:
        until(lambda: world.statuses().get("completed") == len(running), "what ran has completed")
        assert {"completed": len(running), "pending": len(later)} == world.statuses()
        clock.write_text("0", encoding="utf-8")
    until(lambda: world.statuses() == {"completed": len(running) + len(later)}, "all have completed")
    assert [(12, 1)] == world.rows("SELECT count(*), max(number) FROM background_job_attempts")
    assert 2 == len(world.rows("SELECT id FROM background_job_launchers"))
    for launcher in (first, second):
        launcher.terminate()
        assert 0 == launcher.wait(timeout=30)
    world.ledger.touch()
    assert {} == {law: found for law, found in laws.broken(world, Tally()).items() if found}


@pytest.mark.parametrize("ahead", [-HOUR, 0, HOUR])
def test_a_launcher_elsewhere_is_believed_by_its_heartbeats_alone(
    monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    """However wrong its clock is: while heartbeats come it lives, and 20 s after the last it is dead."""
    time = Time(monkeypatch)
    silence = Silence()
    for second in range(0, 60, 2):
        time.now += 2
        assert [] == silence.dead([_elsewhere(ahead + second)])

    deaths = []
    for _ in range(12):
        time.now += 2
        deaths.append(bool(silence.dead([_elsewhere(ahead + 58)])))

    assert [False] * int(SILENT_SECONDS / 2) + [True] * 2 == deaths


def test_who_stood_still_believes_nobody_dead_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time in which we did not look, or could not, is no silence of others."""
    time = Time(monkeypatch)
    silence = Silence()
    silence.dead([_elsewhere(0)])

    time.now += HOUR

    assert [] == silence.dead([_elsewhere(0)])


class Time:
    """The monotonic clock of `maintenance`, ours to move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(maintenance, "time", self)

    def monotonic(self) -> float:
        """Give the time."""
        return self.now


def _elsewhere(seconds: float) -> LauncherRow:
    heard = NOW + dt.timedelta(seconds=seconds)
    return LauncherRow(id="there", host="ithaca", boot_id="b", pid=1, process_started=1.0, heartbeat_at=heard)


def _clock(world: World) -> Path:
    file = world.folder / "clock.txt"
    world.environment["STRESS_CLOCK"] = str(file)
    house = world.folder / "house.py"
    house.write_text(CLOCK + house.read_text(encoding="utf-8"), encoding="utf-8")
    return file


def _running(world: World) -> int:
    return world.statuses().get("running", 0)
