"""Judging an answer: the fraction of the points that it deserves, and what to tell about it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from app.academic.grading.answers.numbers import NotANumber, read_number, show_number
from app.academic.grading.answers.questions import (
    FALSE_WORDS,
    NUMERIC,
    TRUE_WORDS,
    Question,
    compared,
    question_from_words,
    split_list,
)
from app.academic.grading.answers.sets import NotASet, read_set

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST: Final = 4000
# Slightly more than half a unit of the last digit: a value that was rounded up or down is right.
_HALF_UNIT: Final = Fraction(51, 100)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What an answer deserves; `note` says how it was read, or why it could not be."""

    fraction: float
    is_valid: bool = True
    note: str = ""


def judge(question: Question, answer: str | Sequence[str]) -> Judgement:
    """Judge an answer; whatever a person writes is judged, nothing is evaluated and nothing raises.

    What was chosen of several options may be a list.
    """
    if question.kind == "multi_choice":
        chosen = split_list(answer, question.options) if isinstance(answer, str) else list(answer)
        return _judge_multi(question, [one for one in chosen if one.strip()])
    if not isinstance(answer, str):
        answer = answer[0] if len(answer) == 1 else ""
    if not answer.strip():
        return Judgement(fraction=0.0, is_valid=False, note="There is no answer.")
    if len(answer) > LONGEST:
        return _invalid(f"it has more than {LONGEST} characters")
    try:
        if question.kind in NUMERIC:
            return _judge_number(question, answer)
        return _BY_KIND[question.kind](question, answer)
    except (NotANumber, NotASet) as error:
        return _invalid(str(error))


def judge_words(kind: str, expected: str, parameters: str, answer: str) -> float:
    """Judge one line of a table of answers."""
    return judge(question_from_words(kind, expected, parameters), answer).fraction


def _invalid(why: str) -> Judgement:
    return Judgement(fraction=0.0, is_valid=False, note=f"The answer could not be read: {why}.")


def _judge_number(question: Question, answer: str) -> Judgement:
    value = read_number(answer, question.units)
    if question.kind == "integer" and value.denominator != 1:
        return Judgement(fraction=0.0, note=f"Read as {show_number(value)}, which is not a whole number.")
    shares = [
        share
        for (text, share), width in zip_longest(question.accepted, question.widths)
        if _is_near(question, value, read_number(text, question.units), width)
    ]
    return Judgement(fraction=max(shares, default=0.0), note=f"Read as {show_number(value)}.")


def _is_near(question: Question, value: Fraction, key: Fraction, width: Fraction | None) -> bool:
    distance = abs(value - key)
    if width is not None:
        return distance <= width
    if question.kind in ("integer", "rational"):
        return not distance
    if question.kind == "decdig":
        return distance < _HALF_UNIT / Fraction(10) ** question.digits
    if question.kind == "sigfig":
        return distance < _HALF_UNIT * Fraction(10) ** (_magnitude(key) - question.digits + 1)
    atol, rtol = question.tolerance
    return distance <= atol + rtol * abs(key)


def _magnitude(value: Fraction) -> int:
    """Return the power of ten of the first digit that is not zero."""
    if not value:
        return 0
    size = abs(value)
    guess = len(str(size.numerator)) - len(str(size.denominator))
    return guess if size >= Fraction(10) ** guess else guess - 1


def _judge_set(question: Question, answer: str) -> Judgement:
    found = read_set(answer)
    shares = [share for text, share in question.accepted if read_set(text) == found]
    elements = "1 element" if len(found) == 1 else f"{len(found)} elements"
    return Judgement(fraction=max(shares, default=0.0), note=f"Read as a set of {elements}.")


def _judge_single(question: Question, answer: str) -> Judgement:
    chosen = compared(answer)
    if chosen not in {compared(option) for option in question.options}:
        return _invalid("it is none of the options")
    shares = [share for text, share in question.accepted if compared(text) == chosen]
    return Judgement(fraction=min(max(shares, default=0.0), 1.0))


def _judge_multi(question: Question, answers: Sequence[str]) -> Judgement:
    if not answers:
        return Judgement(fraction=0.0, is_valid=False, note="There is no answer.")
    chosen = {compared(one) for one in answers}
    if question.weights:
        weights = zip(question.options, question.weights, strict=True)
        earned = sum(weight for option, weight in weights if compared(option) in chosen)
        return Judgement(fraction=min(max(earned, 0.0), 1.0))
    right = question.right_options
    if not question.has_partial:
        return Judgement(fraction=float(chosen == right))
    earned = (len(chosen & right) - len(chosen - right)) / len(right)
    return Judgement(fraction=max(earned, 0.0))


def _judge_boolean(question: Question, answer: str) -> Judgement:
    word = compared(answer)
    if word not in TRUE_WORDS | FALSE_WORDS:
        return _invalid("it is neither true nor false")
    return Judgement(fraction=float((word in TRUE_WORDS) == (compared(question.key) in TRUE_WORDS)))


def _judge_text(question: Question, answer: str) -> Judgement:
    said = _plain_text(question, answer)
    shares = [share for text, share in question.accepted if _fits(question, text, said)]
    return Judgement(fraction=max(shares, default=0.0))


def _fits(question: Question, pattern: str, said: str) -> bool:
    # A star stands for any letters, as in question banks; \* is the sign itself.
    pieces = [piece.replace("\\*", "*") for piece in re.split(r"(?<!\\)\*", pattern)]
    if len(pieces) == 1:
        return _plain_text(question, pieces[0]) == said
    return _matches_pieces([_folded(question, piece) for piece in pieces], said)


def _matches_pieces(pieces: list[str], said: str) -> bool:
    first, *middle, last = pieces
    if not said.startswith(first) or not said.endswith(last) or len(said) < len(first) + len(last):
        return False
    place, end = len(first), len(said) - len(last)
    for piece in middle:
        place = said.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True


def _plain_text(question: Question, text: str) -> str:
    folded = _folded(question, text).strip()
    if not question.strips_marks:
        return folded
    # Only around the words: contra-positive is another word than contrapositive.
    start, end = 0, len(folded)
    while start < end and _is_mark(folded[start]):
        start += 1
    while end > start and _is_mark(folded[end - 1]):
        end -= 1
    return folded[start:end].strip() or folded


def _folded(question: Question, text: str) -> str:
    if not question.has_case:
        text = text.casefold()
    # Spaces around a star of the key count, so none is cut off here.
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).replace("\u2019", "'"))


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign).startswith("P") or sign.isspace()


_BY_KIND: Final[dict[str, Callable[[Question, str], Judgement]]] = {
    "set": _judge_set,
    "single_choice": _judge_single,
    "boolean": _judge_boolean,
    "short_text": _judge_text,
}
