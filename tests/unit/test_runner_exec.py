"""One attempt, performed in this process: what it says of its end."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest

from app.runner import exec as execution
from app.runner.errors import Abort, Retry, Snooze
from app.runner.exec import MAX_ERROR, MAX_RESULT_BYTES, MAX_TRACEBACK, Order, current_job, perform
from app.runner.registry import Registry
from app.runner.settings import load_approved

METHODS = ["give", "fail", "leave", "sign_in", "report", "who"]


class Unwritable:
    """A value that nobody can print."""

    def __repr__(self) -> str:
        """Refuse."""
        raise RuntimeError("not to be printed")


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        """Refuse."""
        raise RuntimeError("not to be printed")


def nested(depth: int) -> list[Any]:
    """Give a list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


RESULTS: dict[str, Any] = {
    "none": None,
    "plain": {"a": [1, "ü", None]},
    "set": {1},
    "nan": float("nan"),
    "unwritable": Unwritable(),
    "deep": nested(100_000),
    "huge": "x" * (MAX_RESULT_BYTES + 1),
    "wide": "é" * (MAX_RESULT_BYTES // 2),
    "surrogate": "a\ud800b",
    "nul": "a\x00b",
}
ERRORS: dict[str, BaseException] = {
    "plain": ValueError("it broke"),
    "lines": ValueError("it\n broke\r\n\tbadly"),
    "empty": ValueError(),
    "retry": Retry("not yet", delay=30),
    "retry without": Retry("not yet"),
    "snooze": Snooze(30, "too\n early"),
    "snooze without": Snooze(5),
    "abort": Abort("no such order"),
    "exit": SystemExit(0),
    "interrupt": KeyboardInterrupt(),
    "mute": Mute(),
    "long": ValueError("x" * 100_000),
    "surrogate": ValueError("a\ud800\x00b"),
    "group": ExceptionGroup("several", [ValueError("one"), KeyError("two")]),
}


class Handler:
    """Ends in the ways a handler may end."""

    def give(self, name: str) -> Any:
        """Return one of the results."""
        return RESULTS[name]

    def fail(self, name: str) -> None:
        """Raise one of the errors."""
        raise ERRORS[name].with_traceback(None)

    def leave(self) -> None:
        """End like a program."""
        raise SystemExit("goodbye")

    def sign_in(self, name: str, password: str) -> None:
        """Let slip a secret."""
        raise ValueError(f"{name} cannot log in with {password}, which is {[password]!r}")

    def report(self, steps: int) -> None:
        """Say how far it is, quickly."""
        for step in range(steps):
            current_job.progress(step + 1, steps, f"step {step + 1}\ud800\x00" + "x" * 300)

    def who(self) -> list[int]:
        """Say which job it is."""
        return [current_job.id, current_job.attempt]


NAME = f"{__name__}.Handler"
BAD_NUMBERS = [
    "0",
    "abc",
    "-1",
    "1; id",
    "",
    " 1",
    "1\n",
    "0x1",
    "1_0",
    "\uff11",
    "\u00b9",
    "9" * 19,
    "--version",
]


@pytest.fixture(autouse=True)
def without_flask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without Flask, which other tests may have loaded."""
    monkeypatch.setattr(execution, "_context", lambda _: contextlib.nullcontext())


def run(method: str, parameters: Any = (), class_name: str = NAME) -> list[dict[str, Any]]:
    """Perform one attempt and give everything it said."""
    said: list[dict[str, Any]] = []
    order = Order(
        job_id=7, attempt=2, class_name=class_name, method=method, parameters=json.dumps(parameters)
    )
    perform(order, Registry(load_approved({NAME: METHODS})), "", lambda message: said.append(dict(message)))
    return said


def result(name: str) -> str | None:
    """Give what is stored of a result."""
    (said,) = run("give", [name])
    assert ("result", 7, 2, "completed") == tuple(said[key] for key in ("kind", "job", "attempt", "outcome"))
    stored: str | None = said["result"]
    return stored


def failure(name: str) -> dict[str, Any]:
    """Give what is stored of an error."""
    (said,) = run("fail", [name])
    return said


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("none", None),
        ("plain", '{"a": [1, "ü", null]}'),
        ("set", '"{1}"'),
        ("nan", '"nan"'),
        ("unwritable", '"(Unwritable that cannot be written)"'),
        ("deep", '"(list that cannot be written)"'),
        ("huge", f'"left out: larger than {MAX_RESULT_BYTES} bytes"'),
        ("wide", f'"left out: larger than {MAX_RESULT_BYTES} bytes"'),
        ("surrogate", '"a\\ud800b"'),
        ("nul", '"a\\ufffdb"'),
    ],
)
def test_a_handler_that_came_to_its_end_has_completed(name: str, stored: str | None) -> None:
    """Whatever it returns is kept as JSON that every database takes, or said to be left out."""
    assert stored == result(name)


@pytest.mark.parametrize(
    ("name", "outcome", "error", "delay"),
    [
        ("plain", "retry", "ValueError: it broke", None),
        ("lines", "retry", "ValueError: it broke badly", None),
        ("empty", "retry", "ValueError:", None),
        ("retry", "retry", "not yet", 30.0),
        ("retry without", "retry", "not yet", None),
        ("abort", "failed", "no such order", None),
        ("exit", "retry", "SystemExit: 0", None),
        ("interrupt", "retry", "KeyboardInterrupt:", None),
        ("mute", "retry", "Mute: (Mute that cannot be written)", None),
        ("surrogate", "retry", "ValueError: a\\ud800\ufffdb", None),
        ("group", "retry", "ExceptionGroup: several (2 sub-exceptions)", None),
    ],
)
def test_nothing_a_handler_raises_comes_through(
    name: str, outcome: str, error: str, delay: float | None
) -> None:
    """Every exception, those that end programs too, becomes one line, a traceback, and a decision."""
    said = failure(name)

    assert (outcome, error, delay) == (said["outcome"], said["error"], said["delay"])
    assert type(ERRORS[name]).__name__ in said["traceback"]
    (said["error"] + said["traceback"]).encode()


def test_a_traceback_begins_in_the_handler() -> None:
    """The runner's own frames are nobody's concern."""
    traceback = failure("plain")["traceback"]

    assert 1 == traceback.count("File ")
    assert "raise ERRORS[name]" in traceback


def test_errors_are_kept_in_part_when_they_are_long() -> None:
    """A long error keeps its beginning, a long traceback both ends, and says what is missing."""
    said = failure("long")

    assert MAX_ERROR == len(said["error"])
    assert MAX_TRACEBACK < len(said["traceback"]) < MAX_TRACEBACK + 100
    assert "characters left out" in said["traceback"]


@pytest.mark.parametrize("secret", ["hunter2", 'it\'s "quoted"\n', "pässwörd", "back\\slash", "\x07bell"])
@pytest.mark.parametrize("is_named", [True, False])
def test_a_secret_does_not_get_out_through_an_error(secret: str, is_named: bool) -> None:  # noqa: FBT001 - a case
    """Neither the error nor its traceback shows a secret parameter, quoted or plain."""
    parameters: Any = {"name": "ada", "password": secret} if is_named else ["ada", secret]

    (said,) = run("sign_in", parameters)

    for spelling in (secret, repr(secret)[1:-1], " ".join(secret.split())):
        assert spelling not in said["error"] + said["traceback"]
    assert "ValueError: ada cannot log in with ***, which is ['***']" in said["error"].replace('"', "'")


def test_a_secret_at_the_cut_of_a_traceback_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are taken out before a traceback is shortened: a half would be left otherwise."""
    for cut in range(180, 240, 2):
        monkeypatch.setattr(execution, "MAX_TRACEBACK", cut)
        (said,) = run("sign_in", ["ada", "0123456789" * 4])
        assert "01234" not in said["traceback"]


@pytest.mark.parametrize(
    ("class_name", "method", "parameters", "error"),
    [
        ("os.Path", "give", [], "'os.Path' is not an approved class"),
        (NAME, "nested", [], f"'nested' is not an approved method of {NAME}"),
        (NAME, "give", [], "parameters: missing a required argument: 'name'"),
        (NAME, "give", [5], "parameters: name must be str, not a whole number"),
    ],
)
def test_an_order_is_checked_again(class_name: str, method: str, parameters: Any, error: str) -> None:
    """Between enqueue and run the list, code or row may have changed: what is wrong fails for good."""
    (said,) = run(method, parameters, class_name)

    assert "failed" == said["outcome"]
    assert said["error"].startswith(error)


def test_a_handler_knows_which_job_it_is() -> None:
    """The number and the attempt are there while it runs, and not before or after."""
    (said,) = run("who")

    assert "[7, 2]" == said["result"]
    assert current_job.id_or_none() is None
    with pytest.raises(RuntimeError, match="no background job runs in this process"):
        _ = current_job.attempt


def test_progress_is_sent_at_once_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first report is seen immediately, a flood of them seldom, and the last one always."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)

    *progress, end = run("report", [1000])

    assert [1.0, 1000.0] == [each["done"] for each in progress]
    assert {"progress"} == {each["kind"] for each in progress}
    assert "result" == end["kind"]
    assert progress[0]["message"].startswith("step 1\\ud800\ufffdxxx")
    assert all(len(each["message"]) < 220 for each in progress)


@pytest.mark.parametrize(("done", "total"), [(float("nan"), 1), (1, float("inf"))])
def test_progress_is_made_of_finite_numbers(done: float, total: float) -> None:
    """What no bar can show and no database keeps is refused where the handler says it."""
    current_job.begin(Order(job_id=1, attempt=1, class_name="", method="", parameters=""), print)
    try:
        with pytest.raises(ValueError, match="finite numbers"):
            current_job.progress(done, total)
    finally:
        current_job.end()


@pytest.mark.parametrize(
    ("name", "error", "delay"), [("snooze", "too early", 30.0), ("snooze without", None, 5.0)]
)
def test_a_snooze_is_no_failure(name: str, error: str | None, delay: float) -> None:
    """Who puts a job back leaves its reason, if there is one, and no traceback."""
    said = run("fail", [name])[-1]

    assert ("snoozed", error, delay, None) == tuple(
        said[key] for key in ("outcome", "error", "delay", "traceback")
    )


@pytest.mark.parametrize("delay", ["soon", [], "nan seconds"])
def test_a_delay_that_is_no_number_fails_where_it_is_given(delay: Any) -> None:
    """A slip in a handler is the handler's failure, with its line in the traceback; never the launcher's."""
    with pytest.raises((TypeError, ValueError)):
        Retry("later", delay=delay)
    with pytest.raises((TypeError, ValueError)):
        Snooze(delay)


@pytest.mark.parametrize(
    "arguments",
    [[], ["1", "2"], *([each] for each in BAD_NUMBERS)],
    ids=ascii,
)
def test_exec_takes_one_whole_number(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Anything but a job's number in plain digits is refused before anything is loaded."""
    assert 2 == execution.main(arguments)

    said = capsys.readouterr()
    assert ("", "the job id must be one whole number, as in: python -m app.runner.exec 42\n") == said


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_exec_helps(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for help it helps, and runs nothing."""
    assert 0 == execution.main([option])

    assert capsys.readouterr().out.startswith("usage: python -m app.runner.exec ID")
