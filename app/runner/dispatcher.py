"""The launcher's loop: claim what is due, start it, write what came of it; `flask jobs work`.

One transaction a turn writes all that has come in and claims for all free slots. The loop sleeps on
its sockets: a report, a datagram from who enqueued, or the next thing due wakes it.
"""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from app.runner import binding, processes, store, wake
from app.runner.database import is_deadlock
from app.runner.engines.local import EngineGone, LocalEngine
from app.runner.joblog import log_finishes, warn
from app.runner.maintenance import (
    Silence,
    fire_schedules,
    give_back_unknown,
    prune_old,
    rescue_all,
    settle_in,
)
from app.runner.models import Job
from app.runner.pace import Pace
from app.runner.presence import presence
from app.runner.running import Running
from app.runner.store.classes import is_anything_left

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from app.runner.binding import Binding
    from app.runner.store import Claimed, Finish

# Seconds. Polling is the fallback for a lost datagram, and how delayed jobs become due.
POLL_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 2.0
CANCEL_SECONDS: Final = 0.5
RESCUE_SECONDS: Final = 2.0
# How soon a connection for being woken, once cut, is made anew.
LISTEN_SECONDS: Final = 5.0
SCHEDULES_SECONDS: Final = 1.0
PRUNE_SECONDS: Final = 3600.0
# How long to wait after the database refused, before trying again.
REFUSED_SECONDS: Final = 1.0
# Ends that come so close together are committed together.
GROUP_SECONDS: Final = 0.005


class Dispatcher:
    """One launcher; `run` returns when it has been stopped or has nothing left to do."""

    def __init__(
        self,
        bound: Binding,
        *,
        application: str = "",
        slots: int | None = None,
        drain: bool = False,
        idle_exit: float | None = None,
    ) -> None:
        self.bound, self.application = bound, application
        self.slots = slots or bound.settings.slots
        self.drain, self.idle_exit = drain, idle_exit
        self.id = uuid.uuid4().hex
        self.host = processes.host()
        self.running: dict[int, Running] = {}
        # Claimed ahead of free slots, where jobs are so short that claiming each by itself would cost most.
        self.ready: deque[Claimed] = deque()
        self.finishes: list[Finish] = []
        self._pace = Pace(self.slots, is_reusing=bound.settings.jobs_per_process > 1)
        self._written_at = 0.0
        # Somebody has written something: claiming at once is quicker than looking first.
        self._was_woken = False
        # Since when the database has not answered.
        self._refused_at: float | None = None
        self.is_stopping = False
        self._stop_at = 0.0
        self._due: dict[str, float] = {}
        self._silence = Silence()
        self._idle_since = time.monotonic()

    def run(self) -> None:
        """Serve until told to stop; leaves nothing running."""
        processes.adopt_orphans()
        self._register()
        self.engine = LocalEngine(self.bound.settings, self.id, self.application, self.slots)
        self.waker = wake.listen(self.bound.settings.wake_dir, self.id)
        self.listener = wake.Listener(self.bound.engine)
        self._watch()
        try:
            while not self._is_over():
                self._wait()
                self._turn_safely()
        finally:
            self._leave()

    def stop(self, *_: object) -> None:
        """Claim nothing more; what runs has the grace period to end by itself."""
        if not self.is_stopping:
            self.is_stopping = True
            self._stop_at = time.monotonic() + self.bound.settings.grace_seconds

    def _give_back(self) -> None:
        """Give back what was claimed ahead, its attempt with it."""
        while self.ready:
            claimed = self.ready.popleft()
            self.running[claimed.job_id] = never = Running(claimed=claimed)
            self._end(never, _NEVER_STARTED)

    # -- one turn

    def _turn_safely(self) -> None:
        try:
            self._turn()
            self._has_answered()
        except (DBAPIError, PendingRollbackError) as error:
            # Nothing is forgotten: what could not be written is written in a later turn.
            if not is_deadlock(error):
                self._was_refused(error)
        except EngineGone:
            self._replace_engine()

    def _was_refused(self, error: SQLAlchemyError) -> None:
        """Say it once, however long it lasts, and let the database come to itself."""
        if self._refused_at is None:
            self._refused_at = time.monotonic()
            said = str(getattr(error, "orig", error))
            warn(self.bound.settings, "The database refused, trying again until it answers", {"error": said})
        self.bound.engine.dispose()
        time.sleep(REFUSED_SECONDS)

    def _has_answered(self) -> None:
        if self._refused_at is not None:
            seconds = round(time.monotonic() - self._refused_at, 1)
            self._refused_at = None
            warn(self.bound.settings, "The database answers again", {"seconds": seconds})

    def _turn(self) -> None:
        # First of all: who was given up for dead, while standing still, must not write or claim.
        if self._every("heartbeat", HEARTBEAT_SECONDS) and not self._is_known():
            self._start_over()
        if not self.engine.is_alive():
            raise EngineGone
        for message in self.engine.messages():
            self._hear(message)
        if self._every("cancel", CANCEL_SECONDS) and self.running:
            self._look_for_cancels()
        self._fill()
        self._write()
        self._fill()
        if self.is_stopping:
            self._hurry()
        self._keep_house()

    def _fill(self) -> None:
        """Hand what is claimed to the engine, as much as it may have."""
        most = self._pace.handed_over()
        orders = []
        while self.ready and len(self.running) - len(self.finishes) < most:
            claimed = self.ready.popleft()
            running = self.running[claimed.job_id] = Running(claimed=claimed)
            orders.append(running.order())
        if orders:
            self._idle_since = time.monotonic()
            self.engine.start(orders)

    def _write(self) -> None:
        """Write all that came in and claim what can be used soon, in one transaction."""
        running = len(self.running) - len(self.finishes)
        wanted = 0 if self.is_stopping else self._pace.wanted(running, len(self.ready))
        wants = wanted > 0 and (bool(self.finishes) or self._was_woken or self._is_anything_due())
        ending = {end.job_id for end in self.finishes}
        unsaved = [each for job_id, each in self.running.items() if each.is_unsaved and job_id not in ending]
        if not (wants or self.finishes or unsaved) or (not wants and self._may_wait()):
            return
        with self.bound.write(wakes=False) as session:
            done = store.finish_all(session, self.finishes, self.bound.settings)
            for each in unsaved:
                each.save(session)
            claimed = self._claim(session, wanted) if wants else []
        self._was_woken = False
        self._written(done, unsaved)
        self.ready.extend(claimed)

    def _may_wait(self) -> bool:
        """Whether ends may be written with the next ones: while all slots have work, for a moment."""
        return bool(self.ready) and time.monotonic() - self._written_at < GROUP_SECONDS

    def _written(self, done: list[Finish], unsaved: list[Running]) -> None:
        # A process killed right after its report may be reported once more: that end is not believed.
        ended = {end.job_id for end in self.finishes}
        claims = {job_id: self.running.pop(job_id).claimed for job_id in ended}
        self.finishes = []
        self._written_at = time.monotonic()
        for each in unsaved:
            each.saved()
        log_finishes(self.bound.settings, [(end, claims[end.job_id]) for end in done])

    def _is_anything_due(self) -> bool:
        with self.bound.read() as session:
            return store.is_anything_due(session, self.bound.settings.limited)

    def _claim(self, session: Session, wanted: int) -> list[Claimed]:
        return store.claim(session, self.id, self.host, wanted, self.bound.settings.limited)

    # -- what the engine says

    def _hear(self, message: Mapping[str, Any]) -> None:
        if message["kind"] == "done":
            for one in message["of"]:
                self._hear_done(one)
            return
        each = self.running.get(message["job"])
        if each is None or each.claimed.attempt != message["attempt"]:
            return
        if message["kind"] == "ended":
            self._end(each, message)
        elif message["kind"] == "unstarted":
            self._end(each, _NEVER_STARTED)
        else:
            each.hear(message)

    def _hear_done(self, message: Mapping[str, Any]) -> None:
        """A process that is reused tells how a job ended, and goes on."""
        each = self.running.get(message["job"])
        if each is not None and each.claimed.attempt == message["attempt"]:
            each.said = message
            self.finishes.append(each.end(message))
            self._pace.took(message["seconds"])

    def _end(self, each: Running, ended: Mapping[str, Any]) -> None:
        self.finishes.append(each.end(ended))
        self._idle_since = time.monotonic()
        if each.began is not None:
            self._pace.took(self._idle_since - each.began)

    # -- what people ask

    def _look_for_cancels(self) -> None:
        wanted = select(Job.id, Job.attempt, Job.cancel_requested_by).where(
            Job.status == "running", Job.launcher_id == self.id, Job.cancel_requested_at.is_not(None)
        )
        with self.bound.read() as session:
            asked = session.execute(wanted).all()
        for job_id, attempt, who in asked:
            each = self.running.get(job_id)
            if each is None:
                self._drop(job_id, attempt, who or "somebody")
            elif each.cancelled_by is None and each.claimed.attempt == attempt:
                each.cancelled_by = who or "somebody"
                self.engine.stop(job_id, "cancel", self.bound.settings.grace_seconds)

    def _drop(self, job_id: int, attempt: int, who: str) -> None:
        """End a job that is claimed and has not been started."""
        for claimed in list(self.ready):
            if (claimed.job_id, claimed.attempt) == (job_id, attempt):
                self.ready.remove(claimed)
                self.running[job_id] = never = Running(claimed=claimed, cancelled_by=who)
                self._end(never, _UNKNOWN_END)

    # -- beginning, keeping, leaving

    def _register(self) -> None:
        rescue_all(self.bound, silence=self._silence)
        settle_in(self.bound)
        row = presence(self.id, self.slots)
        with self.bound.write(wakes=False) as session:
            store.register(session, row)

    def _watch(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.engine.reports, selectors.EVENT_READ)
        self._selector.register(self.engine.control, selectors.EVENT_READ)
        self._notice, noticed = socket.socketpair()
        for each in (self._notice, noticed):
            each.setblocking(False)
        signal.set_wakeup_fd(noticed.fileno(), warn_on_full_buffer=False)
        self._noticed = noticed
        self._selector.register(self._notice, selectors.EVENT_READ)
        if self.waker is not None:
            self._selector.register(self.waker, selectors.EVENT_READ)
        self.listener.attach(self._selector)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)

    def _wait(self) -> None:
        for key, _ in self._selector.select(GROUP_SECONDS if self.finishes else POLL_SECONDS):
            if key.fileobj is self.waker:
                wake.drain(self.waker)
                self._was_woken = True
                self._due.pop("cancel", None)
            elif key.data is self.listener:
                self.listener.drain(self._selector)
                self._due.pop("cancel", None)
            elif key.fileobj is self._notice:
                with contextlib.suppress(OSError):
                    self._notice.recv(4096)

    def _is_known(self) -> bool:
        with self.bound.write(wakes=False) as session:
            return store.beat(session, self.id, is_draining=self.is_stopping)

    def _keep_house(self) -> None:
        if self._every("listen", LISTEN_SECONDS):
            self.listener.attach(self._selector)
        if self._every("rescue", RESCUE_SECONDS):
            rescued = rescue_all(self.bound, self.id, self._silence)
            rescued += give_back_unknown(
                self.bound, self.id, {*self.running, *(one.job_id for one in self.ready)}
            )
            log_finishes(self.bound.settings, [(end, None) for end in rescued])
        if self._every("schedules", SCHEDULES_SECONDS) and not self.is_stopping:
            fire_schedules(self.bound)
        if self._every("prune", PRUNE_SECONDS) and not self.is_stopping:
            prune_old(self.bound)

    def _every(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + seconds
        return True

    def _hurry(self) -> None:
        """Give back what has not begun; and when the grace period is over, end what still runs."""
        self._give_back()
        if time.monotonic() >= self._stop_at:
            self._stop_at = float("inf")
            for job_id in self.running:
                self.engine.stop(job_id, "shutdown", self.bound.settings.grace_seconds)

    def _replace_engine(self) -> None:
        """The warm parent was killed, and with it every attempt: each is a crash, and tried again."""
        messages = self.engine.messages()
        self.engine.sweep()
        for message in messages:
            self._hear(message)
        ending = {end.job_id for end in self.finishes}
        for each in list(self.running.values()):
            if each.claimed.job_id not in ending:
                self._end(each, _WARM_PARENT_DIED)
        self._selector.unregister(self.engine.reports)
        self._selector.unregister(self.engine.control)
        self.engine.close()
        self.engine.start_up()
        self._selector.register(self.engine.reports, selectors.EVENT_READ)
        self._selector.register(self.engine.control, selectors.EVENT_READ)

    def _start_over(self) -> None:
        """We were given up for dead: others have our jobs, so end ours unwritten, and be new."""
        warn(
            self.bound.settings, "This launcher was given up for dead and starts over", {"launcher": self.id}
        )
        self.engine.close()
        self.running.clear()
        self.ready.clear()
        self.finishes.clear()
        self.listener.close()
        self._selector.close()
        wake.close(self.bound.settings.wake_dir, self.id, self.waker)
        self.id = uuid.uuid4().hex
        self.engine = LocalEngine(self.bound.settings, self.id, self.application, self.slots)
        self.waker = wake.listen(self.bound.settings.wake_dir, self.id)
        self._watch()
        # Should the database refuse, the next heartbeat finds us unknown and tries again.
        self._due.pop("heartbeat", None)
        self._register()

    def _is_over(self) -> bool:
        if self.running or self.finishes or self.ready:
            return False
        if self.is_stopping:
            return True
        if self.drain and self._is_drained():
            return True
        return self.idle_exit is not None and time.monotonic() - self._idle_since >= self.idle_exit

    def _is_drained(self) -> bool:
        with contextlib.suppress(DBAPIError), self.bound.read() as session:
            return not is_anything_left(session)
        return False

    def _leave(self) -> None:
        self.engine.close()
        self.listener.close()
        wake.close(self.bound.settings.wake_dir, self.id, self.waker)
        signal.set_wakeup_fd(-1)
        self._selector.close()
        if not (self.running or self.ready):
            with contextlib.suppress(DBAPIError), self.bound.write(wakes=False) as session:
                store.dismiss(session, self.id)


def run(*, application: str = "", **options: Any) -> None:
    """Run a launcher in this process, for the runner of the present context."""
    Dispatcher(binding.current(), application=application, **options).run()


_UNKNOWN_END: Final = {
    "exit_code": None,
    "signal": None,
    "cpu_seconds": None,
    "peak_memory_bytes": None,
    "log_bytes": 0,
    "stopped": None,
    "stop_signal": None,
}
_WARM_PARENT_DIED: Final = _UNKNOWN_END | {"signal": int(signal.SIGKILL)}
_NEVER_STARTED: Final = _UNKNOWN_END | {"stopped": "shutdown"}
