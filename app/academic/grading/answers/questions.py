"""Questions with a key: what is asked, what is right, and how near to it an answer has to be."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from app.academic.grading.answers.numbers import NotANumber, read_number
from app.academic.grading.answers.sets import NotASet, read_set

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMERIC: Final = ("numeric", "sigfig", "decdig", "integer", "rational")
CHOICES: Final = ("single_choice", "multi_choice")
KINDS: Final = (*NUMERIC, "set", *CHOICES, "boolean", "short_text")
DEFAULT_ATOL: Final = Fraction(1, 10**8)
DEFAULT_RTOL: Final = Fraction(1, 100)
DEFAULT_DIGITS: Final = 2

TRUE_WORDS: Final = frozenset({"true", "t", "yes", "y", "1"})
FALSE_WORDS: Final = frozenset({"false", "f", "no", "n", "0"})
_PARAMETER = re.compile(r"(\w+)=")
# What reads as one answer, with the fraction of the points that it gives.
Accepted = tuple[str, float]


class BadKey(ValueError):
    """A question cannot be judged as it is written; the message says what was expected."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question; `accepted` holds the right answers, of which only the first is shown as the key."""

    id: str
    kind: str
    accepted: tuple[Accepted, ...]
    prompt: str = ""
    points: float = 1.0
    visibility: str = "visible"
    options: tuple[str, ...] = ()
    # Numeric: None means the usual tolerance, unless the other one is given.
    atol: Fraction | None = None
    rtol: Fraction | None = None
    # Of each accepted answer its own, where they differ.
    widths: tuple[Fraction, ...] = ()
    digits: int = DEFAULT_DIGITS
    units: tuple[str, ...] = ()
    # Choices: whether each right one counts by itself, and what a wrong one takes away.
    has_partial: bool = False
    weights: tuple[float, ...] = ()
    # Short text.
    has_case: bool = False
    strips_marks: bool = True
    feedback: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """The right answer as its author wrote it."""
        return self.accepted[0][0] if self.accepted else ""

    @property
    def right_options(self) -> frozenset[str]:
        """The options to choose, as they are compared."""
        return frozenset(compared(answer) for answer, share in self.accepted if share > 0)

    @property
    def tolerance(self) -> tuple[Fraction, Fraction]:
        """The absolute and the relative tolerance that hold."""
        if self.atol is None and self.rtol is None:
            return DEFAULT_ATOL, DEFAULT_RTOL
        return self.atol or Fraction(0), self.rtol or Fraction(0)


def compared(text: str) -> str:
    """Return a text as it is compared without case: one form of each sign, single spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(plain.translate({0x200B: None, 0xFEFF: None, 0x00AD: None, 0x2019: "'"}).split())


def split_list(text: str, options: tuple[str, ...]) -> list[str]:
    """Return the options a text names, between commas, semicolons or lines; one with a comma in it too."""
    if compared(text) in {compared(option) for option in options}:
        return [text]
    separator = r"[,;\n]" if re.search(r"[,;\n]", text) else r"\s+"
    known = {compared(option) for option in options}
    words = [word.strip() for word in re.split(separator, text) if word.strip()]
    # Options of several words are not taken apart at spaces.
    return words if separator != r"\s+" or all(compared(word) in known for word in words) else [text.strip()]


def problems_of(question: Question) -> list[tuple[str, str]]:
    """Return what is wrong with a question, as (key of the manifest, what was expected there)."""
    if question.kind not in KINDS:
        return [("kind", f"one of {', '.join(KINDS)}")]
    if question.kind == "sigfig" and question.digits < 1:
        return [("digits", "at least 1")]
    if not question.accepted or not question.key.strip():
        return [("key", "the right answer")]
    if question.kind in NUMERIC:
        return _problems_of_number(question)
    if question.kind == "set":
        return _problem_of_set(question)
    if question.kind in CHOICES:
        return _problems_of_choice(question)
    if question.kind == "boolean" and compared(question.key) not in TRUE_WORDS | FALSE_WORDS:
        return [("key", "true or false")]
    return []


def _problems_of_number(question: Question) -> list[tuple[str, str]]:
    try:
        values = [read_number(answer, question.units) for answer, _ in question.accepted]
    except NotANumber as error:
        return [("key", f"a number, but {error}")]
    if question.kind == "integer" and any(value.denominator != 1 for value in values):
        return [("key", "a whole number")]
    is_usual = question.kind == "numeric" and question.atol is None and question.rtol is None
    if is_usual and any(0 < abs(value) < Fraction(1, 10**6) for value in values):
        return [("atol", "a tolerance: the usual one of 1e-8 would take zero for this key")]
    return []


def _problem_of_set(question: Question) -> list[tuple[str, str]]:
    try:
        read_set(question.key)
    except NotASet as error:
        return [("key", f"a set like {{1, 2, 3}}, but {error}")]
    return []


def _problems_of_choice(question: Question) -> list[tuple[str, str]]:
    known = [compared(option) for option in question.options]
    if len(known) < 2:  # noqa: PLR2004 - what a choice is
        return [("options", "at least two options")]
    if len(set(known)) < len(known):
        return [("options", "options that differ by more than case and spaces")]
    if strange := sorted(question.right_options - set(known)):
        return [("key", f"only what stands among the options; {strange[0]!r} does not")]
    return []


def question_from_words(kind: str, expected: str, parameters: str, *, id: str = "q") -> Question:  # noqa: A002 - the manifest's name
    """Return the question of one line of a table: `numeric`, `3.14`, `atol=0.005 rtol=0`."""
    given = _parameters(parameters)
    options = tuple(option.strip() for option in given.get("options", "").split("|") if option.strip())
    keys = split_list(expected, options) if kind.strip() == "multi_choice" else [expected]
    question = Question(
        id=id,
        kind=kind.strip(),
        accepted=tuple((key, 1.0) for key in keys),
        options=options,
        atol=fraction_of(given, "atol"),
        rtol=fraction_of(given, "rtol"),
        digits=int(given.get("digits", DEFAULT_DIGITS)),
        units=tuple(given["unit"].split("|")) if given.get("unit") else (),
        has_partial=given.get("partial", "no") not in ("no", "none", "false", "0"),
        has_case=given.get("case", "no") in ("yes", "true", "1"),
        strips_marks=given.get("strip", "punct") == "punct",
    )
    if problems := problems_of(question):
        raise BadKey("; ".join(f"{name}: expected {wanted}" for name, wanted in problems))
    return question


def fraction_of(given: Mapping[str, object], name: str) -> Fraction | None:
    """Return a tolerance, exactly as it was written."""
    if given.get(name) is None:
        return None
    try:
        value = read_number(str(given[name]))
    except NotANumber as error:
        raise BadKey(f"{name}: expected a number, but {error}") from None
    if value < 0:
        raise BadKey(f"{name}: expected a number that is not negative")
    return value


def _parameters(text: str) -> dict[str, str]:
    # A value ends where the next name begins: it may have spaces in it.
    pieces = _PARAMETER.split(text)
    return {name: value.strip() for name, value in zip(pieces[1::2], pieces[2::2], strict=True)}
