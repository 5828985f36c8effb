"""A place in line in words: honest, and never an endless spinner."""

from __future__ import annotations

import pytest

from app.academic.waiting import Place, _about, _left, _ordinal


def place(number: int = 7, length: int = 212, slots: int = 2, **times: float | None) -> Place:
    """A place in line."""
    given: dict[str, float | None] = {
        "seconds": None,
        "expected_seconds": None,
        "waited_seconds": 0.0,
        **times,
    }
    return Place(
        number=number,
        length=length,
        slots=slots,
        seconds=given["seconds"],
        expected_seconds=given["expected_seconds"],
        waited_seconds=given["waited_seconds"] or 0.0,
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (place(seconds=110.0), "7th of 212, about 2 min"),
        (place(), "7th of 212"),
        (place(number=1), "next in line"),
        (place(length=1_000, seconds=40.0), "7th of 1,000 or more, about 40 s"),
        (place(slots=0), "waits: nothing runs jobs at the moment. Your work is kept, and staff can see this"),
        (
            place(seconds=60.0, expected_seconds=100.0, waited_seconds=201.0),
            "takes longer than expected; 7th of 212. Nothing is lost, and it goes on by itself",
        ),
        (place(seconds=60.0, expected_seconds=100.0, waited_seconds=199.0), "7th of 212, about 1 min"),
    ],
)
def test_a_place_has_its_words(found: Place, words: str) -> None:
    """Number, length and time where it was measured; what takes twice as long is said to."""
    assert words == found.words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (13, "13th"),
        (22, "22nd"),
        (112, "112th"),
    ],
)
def test_a_number_has_its_ending(number: int, words: str) -> None:
    """As people say it."""
    assert words == _ordinal(number)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "10 s"), (12, "20 s"), (59, "60 s"), (60, "1 min"), (61, "2 min"), (600, "10 min")],
)
def test_a_time_is_rounded_up(seconds: float, words: str) -> None:
    """Nobody is told less than it will be."""
    assert words == _about(seconds)


def test_what_is_left_goes_by_the_slots() -> None:
    """Six before it in two slots of three seconds: four rounds with its own."""
    assert 12.0 == _left(6, 2, 3.0)
    assert None is _left(6, 2, None)
    assert None is _left(6, 0, 3.0)
