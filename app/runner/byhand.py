"""One job run here and now, in this process: claimed, performed and finished without a launcher."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import uuid
from typing import TYPE_CHECKING, Any

from app.runner import binding, processes, store
from app.runner.context import load
from app.runner.exec import Order, perform
from app.runner.joblog import log_finishes
from app.runner.models import Job, LauncherRow
from app.runner.outcome import decide
from app.runner.presence import presence
from app.runner.store.attempts import claim_one

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from app.runner.binding import Binding
    from app.runner.store import Claimed


def main(job_id: int) -> int:
    """Run the job; 0 if it completed, 1 if it did not or may not run."""
    # As a launcher would, of what can be known before the application is loaded.
    path = os.environ.get("FLASK_RUNNER_APPLICATION") or os.environ.get("FLASK_APP", "")
    with load(path).app_context():
        bound = binding.current()
        launcher = _stand_in()
        with bound.write() as session:
            claimed = claim_one(session, job_id, launcher.id, launcher.host)
            if claimed is not None:
                store.register(session, launcher)
        if claimed is None:
            sys.stderr.write(_refusal(bound, job_id))
            return 1
        return 0 if _run(bound, claimed, launcher.id, path) else 1


def _stand_in() -> LauncherRow:
    """This process as a launcher of one slot, so that the job is rescued should it die."""
    row = presence(uuid.uuid4().hex, 1, is_draining=True)
    os.environ[processes.MARK] = row.id
    return row


def _run(bound: Binding, claimed: Claimed, launcher_id: str, path: str) -> bool:
    said: dict[str, Any] = {}

    def hear(message: Mapping[str, Any]) -> None:
        if message["kind"] == "result":
            said.update(message)
        else:
            progress = (message["done"], message["total"], message["message"])
            with bound.write() as session:
                store.save_progress(session, claimed.job_id, claimed.attempt, progress)

    order = Order(
        job_id=claimed.job_id,
        attempt=claimed.attempt,
        class_name=claimed.class_name,
        method=claimed.method,
        parameters=claimed.parameters,
    )
    _limit(claimed.timeout_seconds)
    perform(order, bound.registry, path, hear)
    signal.setitimer(signal.ITIMER_REAL, 0)
    decided = decide(claimed, said, _end_here(), cancelled_by=None, now=dt.datetime.now(dt.UTC))
    with bound.write() as session:
        end = store.finish(session, decided, bound.settings)
        store.dismiss(session, launcher_id)
    if end is None:
        sys.stderr.write(f"job {claimed.job_id} is another attempt's by now: nothing was written\n")
        return False
    log_finishes(bound.settings, [(end, claimed)])
    sys.stderr.write(f"job {claimed.job_id} {end.status}{f': {end.error}' if end.error else ''}\n")
    return end.status == "completed"


def _limit(seconds: float | None) -> None:
    def expire(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TimeoutError(f"timed out after {seconds:g} s")

    if seconds is not None:
        signal.signal(signal.SIGALRM, expire)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _end_here() -> dict[str, Any]:
    pid = os.getpid()
    end: dict[str, Any] = {"stopped": None, "stop_signal": None, "exit_code": None, "signal": None}
    return end | {"pid": pid, "process_started": processes.start_time(pid)}


def _refusal(bound: Binding, job_id: int) -> str:
    with bound.read() as session:
        job = session.get(Job, job_id)
        if job is None:
            return f"there is no job id {job_id}\n"
        state = "held" if job.status == "pending" else job.status
        return f"job id {job_id} is {state}: only a pending job can be run\n"
