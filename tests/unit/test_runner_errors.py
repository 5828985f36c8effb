"""The tree of errors, and the sentences in them."""

from __future__ import annotations

import pytest

from app.runner import errors


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (errors.SettingsError("x"), (errors.RunnerError,)),
        (errors.ValidationError([]), (errors.RunnerError, ValueError)),
        (errors.JobNotFound(5), (errors.RunnerError, LookupError)),
        (errors.IllegalTransition(5, "hold", "failed", "pending"), (errors.RunnerError,)),
        (errors.Retry(), (errors.HandlerSignal,)),
        (errors.Abort("no"), (errors.HandlerSignal,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_place(error: Exception, parents: tuple[type, ...]) -> None:
    """Whoever catches the root catches them all; what handlers raise on purpose is no error."""
    assert isinstance(error, parents)
    assert isinstance(error, errors.RunnerError) != isinstance(error, errors.HandlerSignal)


def test_a_validation_error_keeps_its_problems_apart() -> None:
    """A form shows each problem at its field, a command all of them in one line."""
    problems = [errors.Problem("class", "is wrong"), errors.Problem("delay", "is too long")]

    error = errors.ValidationError(problems)

    assert problems == error.problems
    assert "class: is wrong; delay: is too long" == str(error)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.JobNotFound(5), "there is no job 5"),
        (
            errors.IllegalTransition(5, "hold", "failed", "pending"),
            "job 5 is failed: hold is only possible for pending jobs",
        ),
        (errors.Retry(), "the handler asked for a retry"),
        (errors.Retry("busy", delay=3), "busy"),
        (errors.Abort("no such order"), "no such order"),
    ],
)
def test_an_error_is_a_sentence_for_people(error: Exception, sentence: str) -> None:
    """What a person reads says what is the matter and with which job."""
    assert sentence == str(error)


@pytest.mark.parametrize("error", [errors.Retry("x", delay=3), errors.Retry("x")])
def test_a_retry_keeps_its_delay(error: errors.Retry) -> None:
    """The delay is in seconds, or not given."""
    assert error.delay in {3.0, None}
