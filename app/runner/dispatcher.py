"""The launcher's loop: claim what is due, start it, write what came of it; `flask jobs work`.

One transaction a turn writes all that has come in and claims for all free slots. The loop sleeps on
its sockets: a report, a datagram from who enqueued, or the next thing due wakes it.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from app.runner import groups, processes, store
from app.runner.book import Book
from app.runner.database import is_deadlock
from app.runner.engines.apart import Engines
from app.runner.engines.local import EngineGone
from app.runner.errors import DatabaseGone
from app.runner.joblog import log_finishes, warn
from app.runner.maintenance import (
    Silence,
    fire_schedules,
    give_back_unknown,
    log_rescued,
    prune_some,
    rescue_all,
    settle_in,
)
from app.runner.models import Job
from app.runner.presence import presence
from app.runner.store.classes import is_anything_left
from app.runner.watch import Watch

if TYPE_CHECKING:
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from app.runner.binding import Binding
    from app.runner.store import Claimed

# Seconds. Polling is the fallback for a lost datagram, and how delayed jobs become due.
POLL_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 3.0
CANCEL_SECONDS: Final = 0.5
RESCUE_SECONDS: Final = 3.0
# How soon a connection for being woken, once cut, is made anew.
LISTEN_SECONDS: Final = 5.0
SCHEDULES_SECONDS: Final = 1.0
PRUNE_SECONDS: Final = 3600.0
# While there is more to delete, how long after a step the next one comes.
PRUNE_STEP_SECONDS: Final = 0.1
# How long to wait after the database refused, before trying again.
REFUSED_SECONDS: Final = 1.0
# For so long at least a launcher that would leave keeps ends that the database does not take.
UNWRITTEN_SECONDS: Final = 60.0
# For so long after the grace period one that was told to stop waits for a database that is away.
STOPPED_SECONDS: Final = 10.0
# Ends that come so close together are committed together.
GROUP_SECONDS: Final = 0.005
# While all slots have work and more is at hand, nobody waits for an end to be written.
BUSY_SECONDS: Final = 0.025


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
        self.book = Book(self.slots, is_reusing=bound.settings.jobs_per_process > 1)
        self._written_at = 0.0
        # Somebody has written something: claiming at once is quicker than looking first.
        self._was_woken = False
        # Since when the database has not answered.
        self._refused_at: float | None = None
        self.is_stopping = False
        self._stop_at = self._leave_at = 0.0
        self._due: dict[str, float] = {}
        self._silence = Silence()

    def run(self) -> None:
        """Serve until told to stop; leaves nothing running."""
        processes.adopt_orphans()
        self._register()
        self._open()
        try:
            while not self._is_over():
                if self.watch.wait(GROUP_SECONDS if self.book.finishes else POLL_SECONDS):
                    self._was_woken = True
                    self._due.pop("cancel", None)
                self._turn_safely()
        finally:
            self._leave()

    def stop(self, *_: object) -> None:
        """Claim nothing more; what runs has the grace period to end by itself."""
        if not self.is_stopping:
            self.is_stopping = True
            self._stop_at = time.monotonic() + self.bound.settings.grace_seconds
            self._leave_at = self._stop_at + STOPPED_SECONDS

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
            which = self.bound.engine.url.render_as_string(hide_password=True)
            about = {"database": which, "error": said}
            warn(self.bound.settings, "The database refused, trying again until it answers", about)
        self._leave_if_gone()
        self.bound.engine.dispose()
        time.sleep(REFUSED_SECONDS)

    def _leave_if_gone(self) -> None:
        """Time without a database is time without work, once nothing runs; ends are kept a while longer."""
        if self.is_stopping and time.monotonic() >= self._leave_at:
            raise DatabaseGone("told to stop while the database is away; what is not written runs again")
        is_busy = len(self.book.running) > len(self.book.finishes)
        if self.idle_exit is None or self._refused_at is None or is_busy:
            return
        patience = self.idle_exit if self.book.is_empty() else max(self.idle_exit, UNWRITTEN_SECONDS)
        if time.monotonic() - max(self._refused_at, self.book.idle_since) >= patience:
            raise DatabaseGone(f"the database has been away for {patience:g} s, and there is no other work")

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
            self.book.hear(message)
        if self._every("cancel", CANCEL_SECONDS) and self.book.is_ours():
            self._look_for_cancels()
        self._fill()
        self._write()
        self._fill()
        if self.is_stopping:
            self._hurry()
        self._keep_house()

    def _fill(self) -> None:
        """Hand what is claimed to the engine, as much as it may have."""
        for order in self.book.next_apart():
            self.engine.start_apart(order)
        if orders := self.book.next_orders():
            self.engine.start(orders)

    def _write(self) -> None:
        """Write all that came in and claim what can be used soon, in one transaction."""
        book = self.book
        wanted = 0 if self.is_stopping else book.wanted()
        wants = wanted > 0 and (bool(book.finishes) or self._was_woken or self._is_anything_due())
        unsaved = book.unsaved()
        if not (wants or book.finishes or unsaved) or (not wants and self._may_wait()):
            return
        with self.bound.write(wakes=False) as session:
            done = store.finish_all(session, book.finishes, self.bound.settings)
            for each in unsaved:
                each.save(session)
            claimed = self._claim(session, wanted) if wants else []
        self._was_woken, self._written_at = False, time.monotonic()
        claims = book.written(unsaved)
        book.take(claimed)
        log_finishes(self.bound.settings, [(end, claims[end.job_id]) for end in done])

    def _may_wait(self) -> bool:
        """Whether ends may be written with the next ones: while all slots have work, for a moment."""
        return bool(self.book.ready) and time.monotonic() - self._written_at < BUSY_SECONDS

    def _is_anything_due(self) -> bool:
        with self.bound.read() as session:
            return store.is_anything_due(session, self.bound.settings.limited)

    def _claim(self, session: Session, wanted: int) -> list[Claimed]:
        return store.claim(session, self.id, self.host, wanted, self.bound.settings.limited)

    # -- what people ask

    def _look_for_cancels(self) -> None:
        wanted = select(Job.id, Job.attempt, Job.cancel_requested_by).where(
            Job.status == "running", Job.launcher_id == self.id, Job.cancel_requested_at.is_not(None)
        )
        with self.bound.read() as session:
            asked = session.execute(wanted).all()
        for job_id, attempt, who in asked:
            if self.book.cancel(job_id, attempt, who or "somebody"):
                self.engine.stop(job_id, "cancel", self.bound.settings.grace_seconds)

    # -- beginning, keeping, leaving

    def _register(self) -> None:
        log_rescued(self.bound, rescue_all(self.bound, silence=self._silence))
        settle_in(self.bound)
        row = presence(self.id, self.slots)
        with self.bound.write(wakes=False) as session:
            store.register(session, row)

    def _open(self) -> None:
        groups.tidy()
        self.engine = Engines(self.bound.settings, self.id, self.application, self.slots)
        self.watch = Watch(self.bound.settings.wake_dir, self.id, self.bound.engine, self.stop)
        self.engine.watched_by(self.watch)

    def _is_known(self) -> bool:
        with self.bound.write(wakes=False) as session:
            return store.beat(session, self.id, is_draining=self.is_stopping)

    def _keep_house(self) -> None:
        if self._every("listen", LISTEN_SECONDS):
            self.watch.listen()
        if self._every("rescue", RESCUE_SECONDS):
            rescued = rescue_all(self.bound, self.id, self._silence)
            rescued += give_back_unknown(self.bound, self.id, self.book.ids())
            log_rescued(self.bound, rescued)
        self.engine.rest()
        if self._every("schedules", SCHEDULES_SECONDS) and not self.is_stopping:
            fire_schedules(self.bound)
        if self._every("prune", PRUNE_SECONDS) and not self.is_stopping and prune_some(self.bound):
            self._due["prune"] = time.monotonic() + PRUNE_STEP_SECONDS

    def _every(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + seconds
        return True

    def _hurry(self) -> None:
        """Give back what has not begun; and when the grace period is over, end what still runs."""
        self.book.give_back()
        if time.monotonic() >= self._stop_at:
            self._stop_at = float("inf")
            for job_id in self.book.running:
                self.engine.stop(job_id, "shutdown", self.bound.settings.grace_seconds)

    def _replace_engine(self) -> None:
        """A warm parent was killed, and with it every attempt it had: each is a crash, and tried again."""
        buried = self.engine.bury()
        for message in buried.messages:
            self.book.hear(message)
        self.book.lose(buried.of(self.book.running))

    def _start_over(self) -> None:
        """We were given up for dead: others have our jobs, so end ours unwritten, and be new."""
        warn(
            self.bound.settings, "This launcher was given up for dead and starts over", {"launcher": self.id}
        )
        self.engine.close()
        self.watch.close()
        self.book.forget_all()
        self.id = uuid.uuid4().hex
        self._open()
        # Should the database refuse, the next heartbeat finds us unknown and tries again.
        self._due.pop("heartbeat", None)
        self._register()

    def _is_over(self) -> bool:
        if not self.book.is_empty():
            return False
        if self.is_stopping:
            return True
        idle = time.monotonic() - self.book.idle_since
        is_wanted = self.drain or (self.idle_exit is not None and idle >= self.idle_exit)
        # What is delayed or to be retried is waited for: nobody else may be there for it.
        return is_wanted and self._is_drained()

    def _is_drained(self) -> bool:
        with contextlib.suppress(DBAPIError), self.bound.read() as session:
            return not is_anything_left(session)
        return False

    def _leave(self) -> None:
        self.engine.close()
        self.watch.close()
        if not self.book.is_ours():
            with contextlib.suppress(DBAPIError), self.bound.write(wakes=False) as session:
                store.dismiss(session, self.id)
