"""Runs one attempt of one job in this process: `python -m app.runner.exec ID`.

The launcher's forks and its cold starts both end in `perform`. Only the standard library is
imported here: what a job does not need, its process does not load.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from app.runner.arrival import EnteredOnArrival
from app.runner.errors import Abort, Retry, Snooze
from app.runner.redact import scrub
from app.runner.registry import NotApproved, Registry
from app.runner.signature import check_call

if TYPE_CHECKING:
    import contextlib

MAX_RESULT_BYTES: Final = 65_536
MAX_ERROR: Final = 1_000
MAX_TRACEBACK: Final = 20_000
# Handlers may report progress in a tight loop; people read a bar a few times a second.
PROGRESS_SECONDS: Final = 0.1
# Who imports one of these needs an application: Flask itself, what enqueues jobs, and what reads them.
_OF_FLASK: Final = ("flask", "app.runner.api", "app.runner.results")

Send = Callable[[Mapping[str, Any]], None]


class Order(NamedTuple):
    """What a job's process must know; travels as JSON."""

    job_id: int
    attempt: int
    class_name: str
    method: str
    parameters: str
    timeout_seconds: float | None = None


class CurrentJob:
    """The job that runs in this process, as its handler sees it."""

    def __init__(self) -> None:
        self._order: Order | None = None
        self._send: Send | None = None
        self._sent_at = 0.0
        self._unsent: dict[str, Any] | None = None

    @property
    def id(self) -> int:
        """The job's number."""
        return self._running().job_id

    def id_or_none(self) -> int | None:
        """The job's number; None where no job runs."""
        return self._order.job_id if self._order is not None else None

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1; with `id` a key for doing something only once."""
        return self._running().attempt

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Say how far the work is: shown as a bar on the dashboard, live."""
        order = self._running()
        said: dict[str, Any] = {"kind": "progress", "job": order.job_id, "attempt": order.attempt}
        text = _storable(str(message)[:200])
        self._unsent = said | {"done": _finite(done), "total": _finite(total), "message": text}
        if time.monotonic() - self._sent_at >= PROGRESS_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the latest progress if it has not been sent."""
        if self._unsent is not None and self._send is not None:
            self._send(self._unsent)
            self._sent_at, self._unsent = time.monotonic(), None

    def begin(self, order: Order, send: Send) -> None:
        """Become this job."""
        self._order, self._send, self._sent_at, self._unsent = order, send, 0.0, None

    def end(self) -> None:
        """Be no job again."""
        self.flush()
        self._order = self._send = None

    def _running(self) -> Order:
        if self._order is None:
            raise RuntimeError("no background job runs in this process")
        return self._order


current_job: Final = CurrentJob()


def perform(order: Order, registry: Registry, application: str, send: Send) -> None:
    """Run the handler and send what came of it; nothing it raises comes through."""
    current_job.begin(order, send)
    own_pid = os.getpid()
    said: dict[str, Any] = {"kind": "result", "job": order.job_id, "attempt": order.attempt}
    function: Callable[..., Any] | None = None
    parameters: Any = None
    try:
        parameters = json.loads(order.parameters)
        found, function = registry.loaded(order.class_name, order.method)
        if (misfit := check_call(function, parameters)) is not None:
            raise Abort(f"parameters: {misfit}")  # noqa: TRY301 - ends like any other failure
        with _context(application):
            said |= {"outcome": "completed", "result": _result_of(found, function, parameters)}
    except BaseException as error:  # noqa: BLE001 - SystemExit of a handler is a failure like any other
        said |= _failure(error, lambda text: scrub(text, function, parameters))
    if os.getpid() != own_pid:
        # A copy that the handler forked came back from it: it is not the attempt and must not speak for it.
        os._exit(1)
    current_job.end()
    _flush()
    send(said)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001, S112 - closed by the handler, or replaced by what cannot be flushed
            continue


def prepare_output() -> None:
    """Have prints and log records reach the attempt's log line by line, as they happen."""
    # New streams: the old ones remember what kind of file the warm parent had there.
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = open(  # noqa: SIM115 - open until the process ends
            descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )
        setattr(sys, name, stream)
    root = logging.getLogger()
    if not root.handlers:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")


def main(arguments: list[str] | None = None) -> int:
    """Run the job whose number is given; exit code 0 only if it completed."""
    given = sys.argv[1:] if arguments is None else arguments
    if given in (["-h"], ["--help"]):
        sys.stdout.write(
            "usage: python -m app.runner.exec ID\n\nRun one job here and now, in this process.\n"
        )
        return 0
    if len(given) != 1 or not re.fullmatch(r"[1-9][0-9]{0,17}", given[0], re.ASCII):
        sys.stderr.write("the job id must be one whole number, as in: python -m app.runner.exec 42\n")
        return 2
    if "RUNNER_REPORT_FD" in os.environ:
        return int(import_module("app.runner.child").main())
    return int(import_module("app.runner.byhand").main(int(given[0])))


def is_flask_used() -> bool:
    """Whether something has been imported that is of no use without a Flask application."""
    flask, api, results = _OF_FLASK
    return flask in sys.modules or api in sys.modules or results in sys.modules


def _context(application: str) -> contextlib.AbstractContextManager[Any]:
    """Give the Flask application's context to handlers that use Flask, and only to them."""

    def enter() -> contextlib.AbstractContextManager[Any]:
        context: contextlib.AbstractContextManager[Any]
        context = import_module("app.runner.context").entered(application)
        return context

    return enter() if is_flask_used() else EnteredOnArrival(is_flask_used, enter)


def _result_of(found: type[Any], function: Callable[..., Any], parameters: Any) -> str | None:
    instance = found()
    named = isinstance(parameters, dict)
    value = function(instance, **parameters) if named else function(instance, *parameters)
    if value is None:
        return None
    # A handler that came to its end has completed: nothing about its result may fail it now.
    text = _storable(_json_of(value)).replace("\\u0000", "\\ufffd")
    if len(text) > MAX_RESULT_BYTES // 4 and len(text.encode()) > MAX_RESULT_BYTES:
        return json.dumps(f"left out: larger than {MAX_RESULT_BYTES} bytes")
    return text


def _json_of(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except Exception:  # noqa: BLE001 - not JSON, or too deep, or a class that makes trouble
        return json.dumps(_quietly(repr, value)[:MAX_ERROR])


def _quietly(write: Callable[[Any], str], value: Any) -> str:
    try:
        return write(value)
    except Exception:  # noqa: BLE001 - code of the handler's
        return f"({type(value).__name__} that cannot be written)"


def _failure(error: BaseException, clean: Callable[[str], str]) -> dict[str, Any]:
    if isinstance(error, Snooze):
        reason = " ".join(_storable(clean(_quietly(str, error))).split())[:MAX_ERROR]
        return {"outcome": "snoozed", "error": reason or None, "traceback": None, "delay": error.delay}
    final = isinstance(error, (Abort, NotApproved))
    signal = isinstance(error, (Abort, NotApproved, Retry))
    name = "" if signal else f"{type(error).__name__}: "
    summary = _storable(clean(f"{name}{_quietly(str, error)}"))
    return {
        "outcome": "failed" if final else "retry",
        "error": " ".join(summary.split())[:MAX_ERROR],
        "traceback": None if isinstance(error, NotApproved) else _shortened(clean(_traceback_of(error))),
        "delay": error.delay if isinstance(error, Retry) else None,
    }


def _traceback_of(error: BaseException) -> str:
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _shortened(text: str) -> str:
    text = _storable(text)
    if len(text) <= MAX_TRACEBACK:
        return text
    half = MAX_TRACEBACK // 2
    return f"{text[:half]}\n[... {len(text) - MAX_TRACEBACK} characters left out ...]\n{text[-half:]}"


def _storable(text: str) -> str:
    """Give a text that every database keeps: no NUL, no half of a character."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "backslashreplace").decode()


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"progress is made of finite numbers, not {number!r}")
    return float(number)


if __name__ == "__main__":
    # The module also runs as __main__; handlers import it by its own name, and there must be one current_job.
    sys.exit(import_module("app.runner.exec").main())
