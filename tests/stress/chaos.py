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
from tests.stress.watcher import Death, Life, Moment, Watcher

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.stress.world import World

TARGETS: Final = {
    "job process": 34,
    "warm parent": 20,
    "launcher": 20,
    "launcher and warm parent": 6,
    "enqueuer": 12,
    "everything": 8,
}
SLOTS: Final = 4
LOOK_SECONDS: Final = 0.25
# In which everything must have come to an end once the kills are over.
DRAIN_SECONDS: Final = 300.0


@dataclass(kw_only=True)
class Tally:
    """What was done to the system."""

    kills: Counter[str] = field(default_factory=Counter)
    verbs: Counter[str] = field(default_factory=Counter)
    deaths: list[Death] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)


class Chaos:
    """One run, whose course follows from the seed as far as the machine lets it."""

    def __init__(self, world: World, *, jobs: int, kills: int, seed: int, pause: float) -> None:
        self.world, self.jobs, self.kills, self.seed = world, jobs, kills, seed
        self.pause = pause
        # Jobs come as long as there are kills.
        world.environment["STRESS_PAUSE"] = f"{0.7 * kills * pause * BATCH / jobs:.3f}"
        self.random = random.Random(seed)  # noqa: S311 - chance that can be had again, no secret
        self.tally = Tally()
        self.launchers: dict[subprocess.Popen[bytes], Life] = {}
        self.enqueuer: subprocess.Popen[bytes] | None = None
        self.generation = 0
        self.wanted = 2

    def run(self, *, seconds: float) -> Tally:
        """Kill until all kills are done and all jobs are in; then let what is left be done."""
        end = time.monotonic() + seconds
        with Watcher(self.world, self.tally.deaths):
            while self._is_more_to_do() and time.monotonic() < end:
                self._supervise()
                if sum(self.tally.kills.values()) < self.kills:
                    self._kill()
                self._meddle()
                signal.sigtimedwait([], self.random.uniform(0.3, 1.7) * self.pause)
            self._drain(time.monotonic() + DRAIN_SECONDS)
        return self.tally

    def _drain(self, end: float) -> None:
        """Without another kill, have everything come to an end; then stop in good order."""
        self._release_all()
        while (self._unfinished() or self._unseen()) and time.monotonic() < end:
            self._supervise()
            signal.sigtimedwait([], LOOK_SECONDS)
        for launcher in self.launchers:
            launcher.terminate()
        for launcher in self.launchers:
            launcher.wait(timeout=30)

    def _unseen(self) -> bool:
        return any(death.swept is None or death.rescued is None for death in self.tally.deaths)

    def _is_more_to_do(self) -> bool:
        return sum(self.tally.kills.values()) < self.kills or self._count() < self.jobs

    # -- the supervisor

    def _supervise(self) -> None:
        """Start again what has died, as systemd or honcho would."""
        for launcher in [each for each in self.launchers if each.poll() is not None]:
            self._is_over(launcher)
        while len(self.launchers) < self.wanted:
            life = Life(began=time.monotonic())
            self.tally.lives.append(life)
            self.launchers[self.world.launch_slots(SLOTS)] = life
        if self.enqueuer is not None and self.enqueuer.poll() is None:
            return
        count = self._count()
        if count < self.jobs:
            self.generation += 1
            self.enqueuer = self.world.enqueuer(count, self.jobs, str(self.seed), f"g{self.generation}")

    def _is_over(self, launcher: subprocess.Popen[bytes]) -> None:
        self.launchers.pop(launcher).ended = time.monotonic()

    # -- the killer

    def _kill(self) -> None:
        target = self.random.choices(list(TARGETS), list(TARGETS.values()))[0]
        verbs: dict[str, Callable[[], bool]] = {
            "job process": self._kill_a_job_process,
            "warm parent": self._kill_a_warm_parent,
            "launcher": self._kill_a_launcher,
            "launcher and warm parent": self._kill_both,
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
        return bool(self.launchers) and self._killed_launcher(self.random.choice([*self.launchers]))

    def _kill_both(self) -> bool:
        """A launcher and its warm parents in one instant: nobody is left to end what their jobs started."""
        if not self.launchers:
            return False
        launcher = self.random.choice([*self.launchers])
        pids = [launcher.pid, *(each.pid for each in _children(launcher.pid))]
        for pid in pids:
            _killed(pid, signal.SIGSTOP)
        for pid in pids[1:]:
            _killed(pid)
        return self._killed_launcher(launcher, is_alone=False)

    def _kill_the_enqueuer(self) -> bool:
        return self.enqueuer is not None and self.enqueuer.poll() is None and _killed(self.enqueuer.pid)

    def _kill_everything(self) -> bool:
        """All processes of the runner, the enqueuer and all jobs: what a machine's end takes with it."""
        pids = [each.pid for each in self.world.alive()]
        for launcher in [*self.launchers]:
            self._killed_launcher(launcher, is_alone=False)
        self._kill_the_enqueuer()
        for pid in pids:
            _killed(pid)
        return True

    def _killed_launcher(self, launcher: subprocess.Popen[bytes], *, is_alone: bool = True) -> bool:
        ids = self.world.rows("SELECT id FROM background_job_launchers WHERE pid = ?", launcher.pid)
        is_killed = _killed(launcher.pid)
        launcher.wait()
        self._is_over(launcher)
        deaths = [Death(launcher_id=each, at=Moment.now(), is_alone=is_alone) for (each,) in ids]
        self.tally.deaths += deaths
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


def _killed(pid: int, number: signal.Signals = signal.SIGKILL) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
