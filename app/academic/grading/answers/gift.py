"""A subset of Moodle's GIFT: numeric, short answer, choice with one or several right options, true or false.

What is not in it (matching, essays, descriptions) is named with its line, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from app.academic.grading.answers.numbers import NotANumber, read_number
from app.academic.grading.answers.questions import FALSE_WORDS, TRUE_WORDS, Question, compared, problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_ESCAPED: Final = {"n": "\n"}
_ESCAPE = re.compile(r"\\([~=#{}:\\n])")
# Escaped signs wait in a private area until the structure is read.
_HELD: Final = {sign: chr(0xE000 + place) for place, sign in enumerate("~=#{}:\\n")}
_FREED: Final = {held: _ESCAPED.get(sign, sign) for sign, held in _HELD.items()}
_TITLE = re.compile(r"^::(.*?)::\s*", re.DOTALL)
_FORMAT = re.compile(r"^\[(html|moodle|plain|markdown)\]\s*")
_OPTION = re.compile(r"([=~])\s*(?:%(-?\d+(?:\.\d+)?)%)?([^=~]*)")
_BLANK: Final = " _____ "


class BadGift(ValueError):
    """The question bank cannot be read; the message names the line."""

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {text}")


@dataclass(frozen=True, kw_only=True)
class _Option:
    """One answer of a question: right or wrong, its share in percent if it has one, its text."""

    is_right: bool
    percent: float | None
    text: str

    @property
    def share(self) -> float:
        usual = 100.0 if self.is_right else 0.0
        return (usual if self.percent is None else self.percent) / 100


def read_gift(text: str) -> list[Question]:
    """Return the questions of a bank, in its order; BadGift says what cannot be read."""
    found: list[Question] = []
    for line, block in _blocks(text.removeprefix("\ufeff")):
        question = _question(line, block, len(found) + 1)
        if problems := problems_of(question):
            name, wanted = problems[0]
            raise BadGift(line, f"{name}: expected {wanted}")
        found.append(question)
    return found


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    block: list[str] = []
    start = 0
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        plain = line.strip()
        if plain.startswith(("//", "$CATEGORY:")):
            continue
        if plain:
            start = start if block else number
            block.append(line)
        elif block:
            yield start, "\n".join(block)
            block = []


def _question(line: int, block: str, number: int) -> Question:
    held = _ESCAPE.sub(lambda match: _HELD[match[1]], block.strip())
    title, rest = "", held
    if found := _TITLE.match(held):
        title, rest = found[1].strip(), held[found.end() :]
    rest = _FORMAT.sub("", rest)
    before, opened, inner = rest.partition("{")
    body, closed, after = inner.partition("}")
    if not opened:
        raise BadGift(line, "expected answers in braces, as in {=right ~wrong}; a description has none")
    if not closed or "{" in after or "}" in after:
        raise BadGift(line, "expected one pair of braces; write \\{ and \\} for braces in the text")
    prompt = _free(before.strip() + (_BLANK + after.strip() if after.strip() else "")).strip()
    base = Question(id=_name(title, number), kind="", accepted=(), prompt=prompt or _free(title))
    return _with_answers(line, base, body.strip())


def _name(title: str, number: int) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", _free(title)).strip("-")
    return plain[:40] or f"q{number}"


def _with_answers(line: int, base: Question, body: str) -> Question:
    plain = body.partition("####")[0].strip()
    if not plain:
        raise BadGift(line, "an essay has no key; use a rubric part for it")
    if plain.startswith("#"):
        return _numeric(line, base, plain[1:].strip())
    word = compared(plain.partition("#")[0])
    if word in TRUE_WORDS | FALSE_WORDS and plain[0] not in "=~":
        return replace(base, kind="boolean", accepted=(("true" if word in TRUE_WORDS else "false", 1.0),))
    if "->" in plain:
        raise BadGift(line, "matching questions are not supported")
    options = _options(line, plain)
    return _text_or_choice(line, base, options)


def _options(line: int, body: str) -> list[_Option]:
    if body[0] not in "=~":
        raise BadGift(line, "expected every answer to begin with = or ~")
    return [
        _Option(
            is_right=sign == "=",
            percent=float(percent) if percent else None,
            text=_free(text.partition("#")[0].strip()),
        )
        for sign, percent, text in _OPTION.findall(body)
    ]


def _text_or_choice(line: int, base: Question, options: list[_Option]) -> Question:
    if all(option.is_right for option in options):
        accepted = tuple((option.text, option.share) for option in options)
        return replace(base, kind="short_text", accepted=_best_first(accepted))
    texts = tuple(option.text for option in options)
    if any(option.is_right for option in options):
        accepted = tuple((option.text, option.share) for option in options if option.share > 0)
        return replace(base, kind="single_choice", options=texts, accepted=_best_first(accepted))
    right = [option.text for option in options if option.share > 0]
    if not right:
        raise BadGift(line, "expected at least one right answer")
    return replace(
        base,
        kind="multi_choice",
        options=texts,
        accepted=tuple((text, 1.0) for text in right),
        weights=tuple(option.share for option in options),
        has_partial=True,
    )


def _best_first(accepted: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(accepted, key=lambda one: -one[1]))


def _numeric(line: int, base: Question, body: str) -> Question:
    written = _OPTION.findall(body) if body.startswith("=") else [("=", "", body)]
    ranges = [
        (*_range(line, text.partition("#")[0].strip()), float(percent or 100) / 100)
        for _, percent, text in written
    ]
    return replace(
        base,
        kind="numeric",
        accepted=tuple((_written(key), share) for key, _, share in ranges),
        atol=ranges[0][1],
        widths=tuple(width for _, width, _ in ranges),
    )


def _range(line: int, text: str) -> tuple[Fraction, Fraction]:
    """Return middle and half width of 3.14, 3.14:0.005 or 3.1..3.2."""
    try:
        if ".." in text:
            low, _, high = text.partition("..")
            first, last = read_number(low), read_number(high)
            return (first + last) / 2, abs(last - first) / 2
        key, _, tolerance = text.partition(":")
        return read_number(key), read_number(tolerance) if tolerance.strip() else Fraction(0)
    except NotANumber as error:
        raise BadGift(
            line, f"expected a number such as 3.14, 3.14:0.005 or 3.1..3.2 in {text!r}: {error}"
        ) from None


def _written(value: Fraction) -> str:
    denominator = value.denominator
    while denominator % 2 == 0:
        denominator //= 2
    while denominator % 5 == 0:
        denominator //= 5
    short = f"{float(value):.15g}"
    return (
        short if denominator == 1 and Fraction(short) == value else f"{value.numerator}/{value.denominator}"
    )


def _free(text: str) -> str:
    for held, sign in _FREED.items():
        text = text.replace(held, sign)
    return " ".join(text.split(" ")).strip() if "\n" in text else " ".join(text.split())
