"""Kill -9 at random, and a supervisor that starts again what was killed.

What is killed: a launcher, a warm parent, a job's process, the process that enqueues (in the middle
of its transaction), or all of them at once. Meanwhile jobs are cancelled, held and released.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psutil

from app.runner import store
from app.runner.errors import IllegalTransition
from tests.stress.enqueuer import BATCH

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.stress.world import World

TARGETS: Final = {"job process": 35, "warm parent": 20, "launcher": 25, "enqueuer": 12, "everything": 8}
# The promises: what a killed launcher leaves is dead after the one, and runs again after the other.
SWEPT_SECONDS: Final = 5.0
RESCUED_SECONDS: Final = 15.0
SLOTS: Final = 4
LOOK_SECONDS: Final = 0.25


@dataclass(kw_only=True)
class Death:
    """A launcher that was killed, and what became of what it left."""

    launcher_id: str
    at: float
    swept_after: float | None = None
    rescued_after: float | None = None


@dataclass(kw_only=True)
class Tally:
    """What was done to the system."""

    kills: Counter[str] = field(default_factory=Counter)
    verbs: Counter[str] = field(default_factory=Counter)
    deaths: list[Death] = field(default_factory=list)


class Chaos:
    """One run, whose course follows from the seed as far as the machine lets it."""

    def __init__(self, world: World, *, jobs: int, kills: int, seed: int, pause: float) -> None:
        self.world, self.jobs, self.kills, self.seed = world, jobs, kills, seed
        self.pause = pause
        # Jobs come as long as there are kills.
        world.environment["STRESS_PAUSE"] = f"{0.7 * kills * pause * BATCH / jobs:.3f}"
        self.random = random.Random(seed)  # noqa: S311 - chance that can be had again, no secret
        self.tally = Tally()
        self.launchers: list[subprocess.Popen[bytes]] = []
        self.enqueuer: subprocess.Popen[bytes] | None = None
        self.generation = 0
        self.wanted = 2

    def run(self, *, seconds: float) -> Tally:
        """Kill until all kills are done and all jobs are in; then let what is left be done."""
        end = time.monotonic() + seconds
        while self._is_more_to_do() and time.monotonic() < end:
            self._supervise()
            if sum(self.tally.kills.values()) < self.kills:
                self._kill()
            self._meddle()
            self._look(self.random.uniform(0.3, 1.7) * self.pause)
        return self.tally

    def drain(self, *, seconds: float) -> None:
        """Without another kill, have everything come to an end; then stop in good order."""
        self._release_all()
        end = time.monotonic() + seconds
        while self._unfinished() and time.monotonic() < end:
            self._supervise()
            self._look(LOOK_SECONDS)
        self._look(0)
        for launcher in self.launchers:
            launcher.terminate()
        for launcher in self.launchers:
            launcher.wait(timeout=30)

    def _is_more_to_do(self) -> bool:
        return sum(self.tally.kills.values()) < self.kills or self._count() < self.jobs

    # -- the supervisor

    def _supervise(self) -> None:
        """Start again what has died, as systemd or honcho would."""
        self.launchers = [each for each in self.launchers if each.poll() is None]
        while len(self.launchers) < self.wanted:
            self.launchers.append(self.world.launch_slots(SLOTS))
        if self.enqueuer is not None and self.enqueuer.poll() is None:
            return
        count = self._count()
        if count < self.jobs:
            self.generation += 1
            self.enqueuer = self.world.enqueuer(count, self.jobs, str(self.seed), f"g{self.generation}")

    # -- the killer

    def _kill(self) -> None:
        target = self.random.choices(list(TARGETS), list(TARGETS.values()))[0]
        verbs: dict[str, Callable[[], bool]] = {
            "job process": self._kill_a_job_process,
            "warm parent": self._kill_a_warm_parent,
            "launcher": self._kill_a_launcher,
            "enqueuer": self._kill_the_enqueuer,
            "everything": self._kill_everything,
        }
        self.tally.kills[target] += verbs[target]()
        # Sometimes one launcher, sometimes three.
        self.wanted = self.random.choice([1, 2, 2, 3])

    def _kill_a_job_process(self) -> bool:
        warm_parents = [each for one in self.launchers for each in _children(one.pid)]
        found = [job.pid for each in warm_parents for job in _children(each.pid)]
        return bool(found) and _killed(self.random.choice(found))

    def _kill_a_warm_parent(self) -> bool:
        found = [each.pid for launcher in self.launchers for each in _children(launcher.pid)]
        return bool(found) and _killed(self.random.choice(found))

    def _kill_a_launcher(self) -> bool:
        return bool(self.launchers) and self._killed_launcher(self.random.choice(self.launchers))

    def _kill_the_enqueuer(self) -> bool:
        return self.enqueuer is not None and self.enqueuer.poll() is None and _killed(self.enqueuer.pid)

    def _kill_everything(self) -> bool:
        """All processes of the runner, the enqueuer and all jobs: what a machine's end takes with it."""
        pids = [each.pid for each in self.world.alive()]
        for launcher in self.launchers:
            self._killed_launcher(launcher)
        self._kill_the_enqueuer()
        for pid in pids:
            _killed(pid)
        return True

    def _killed_launcher(self, launcher: subprocess.Popen[bytes]) -> bool:
        ids = self.world.rows("SELECT id FROM background_job_launchers WHERE pid = ?", launcher.pid)
        is_killed = _killed(launcher.pid)
        launcher.wait()
        self.tally.deaths += [Death(launcher_id=each, at=time.monotonic()) for (each,) in ids]
        return is_killed

    # -- people

    def _meddle(self) -> None:
        """Cancel, hold or release a job or two, as people do; what is too late for that is refused."""
        for _ in range(self.random.choice([0, 1, 1, 2])):
            verb = self.random.choice(["cancel", "cancel", "hold", "release"])
            status = "pending" if verb != "cancel" else self.random.choice(["pending", "running"])
            found = self.world.rows(
                "SELECT id FROM background_jobs WHERE status = ? AND is_held = ? ORDER BY random() LIMIT 1",
                status,
                verb == "release",
            )
            for (job_id,) in found:
                with contextlib.suppress(IllegalTransition), self.world.bound.write() as session:
                    getattr(store, verb)(session, job_id, actor="stress")
                    self.tally.verbs[verb] += 1

    def _release_all(self) -> None:
        for (job_id,) in self.world.rows("SELECT id FROM background_jobs WHERE is_held"):
            with contextlib.suppress(IllegalTransition), self.world.bound.write() as session:
                store.release(session, job_id, actor="stress")

    # -- the watcher

    def _look(self, seconds: float) -> None:
        """Watch what dead launchers have left, for some seconds."""
        end = time.monotonic() + seconds
        while True:
            for death in self.tally.deaths:
                self._look_at(death)
            left = end - time.monotonic()
            if left <= 0:
                return
            signal.sigtimedwait([], min(left, LOOK_SECONDS))

    def _look_at(self, death: Death) -> None:
        if death.swept_after is None and not self.world.alive(death.launcher_id):
            death.swept_after = time.monotonic() - death.at
        if death.rescued_after is None:
            query = "SELECT count(*) FROM background_jobs WHERE status = 'running' AND launcher_id = ?"
            if [(0,)] == self.world.rows(query, death.launcher_id):
                death.rescued_after = time.monotonic() - death.at

    def _count(self) -> int:
        ((count,),) = self.world.rows("SELECT count(*) FROM background_jobs")
        return int(count)

    def _unfinished(self) -> int:
        query = "SELECT count(*) FROM background_jobs WHERE status IN ('pending', 'running')"
        ((count,),) = self.world.rows(query)
        return int(count)


def _children(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children()
    return []


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
