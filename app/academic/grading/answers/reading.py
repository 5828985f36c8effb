"""Reading the questions of an answer-key part: from its list, and from a question bank beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.academic.grading.answers.gift import BadGift, read_gift
from app.academic.grading.answers.questions import (
    DEFAULT_DIGITS,
    KINDS,
    BadKey,
    Question,
    fraction_of,
    problems_of,
)

if TYPE_CHECKING:
    from fractions import Fraction

    from app.academic.grading.manifest import Section
    from app.academic.grading.parts.base import Setting

_VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")
_LONGEST_PROMPT = 4000


def read_questions(section: Section, setting: Setting, visibility: str) -> tuple[Question, ...]:
    """Read `questions` and the bank that `gift` names; ids are unique afterwards, or told about."""
    listed = section.sections("questions")
    found = [_question(one, number, visibility) for number, one in enumerate(listed, start=1)]
    found += [replace(one, visibility=visibility) for one in _bank(section, setting, is_alone=not listed)]
    known: set[str] = set()
    for question in found:
        if question.id in known:
            section.problem(
                "questions", f"an id of its own for each question; {question.id!r} is there twice"
            )
        known.add(question.id)
    if not found:
        section.problem("questions", "at least one question, or a question bank under gift")
    return tuple(found)


def _question(section: Section, number: int, visibility: str) -> Question:
    kind = section.choice("kind", KINDS)
    question = Question(
        id=section.text("id", f"q{number}")[:60],
        kind=kind,
        accepted=_keys(section, kind),
        prompt="\n".join(section.words("prompt") or ())[:_LONGEST_PROMPT],
        points=section.number("points", 1.0, above=0),
        visibility=section.choice("visibility", (visibility, *_others(visibility))),
        options=section.words("options") or (),
        atol=_tolerance(section, "atol"),
        rtol=_tolerance(section, "rtol"),
        digits=section.integer("digits", DEFAULT_DIGITS, 0, 15),
        units=section.words("unit") or (),
        has_partial=_flag(section, "partial", usual=kind == "multi_choice"),
        has_case=_flag(section, "case", usual=False),
        strips_marks=section.choice("strip", ("punct", "space")) == "punct",
    )
    section.finish()
    for name, wanted in problems_of(question):
        section.problem(name, wanted)
    return question


def _keys(section: Section, kind: str) -> tuple[tuple[str, float], ...]:
    keys = section.words("key") or ()
    if kind == "set" and len(keys) > 1:
        keys = (f"{{{', '.join(keys)}}}",)
    if kind == "multi_choice" and len(keys) == 1:
        options = section.words("options") or ()
        if keys[0] not in options:
            keys = tuple(one.strip() for one in keys[0].split(","))
    return tuple((key, 1.0) for key in keys)


def _tolerance(section: Section, name: str) -> Fraction | None:
    words = section.words(name)
    try:
        return fraction_of({name: words[0]}, name) if words else None
    except BadKey as error:
        section.problem(name, str(error).partition("expected ")[2])
        return None


def _flag(section: Section, name: str, *, usual: bool) -> bool:
    yes, no = "yes", "no"
    words = section.words(name)
    if words is None:
        return usual
    word = words[0].casefold()
    if word not in {yes, no, "true", "false", "on", "off"}:
        section.problem(name, "yes or no")
    return word in {yes, "true", "on"}


def _others(visibility: str) -> tuple[str, ...]:
    return tuple(one for one in _VISIBILITIES if one != visibility)


def _bank(section: Section, setting: Setting, *, is_alone: bool) -> list[Question]:
    banks = sorted(setting.folder.glob("*.gift")) if is_alone else []
    name = section.text("gift", banks[0].name if len(banks) == 1 else "")
    if not name:
        return []
    path = setting.folder / name
    if not setting.is_inside(name) or not path.is_file():
        section.problem("gift", f"a file in the assignment's folder; there is no {name!r}")
        return []
    try:
        return read_gift(path.read_text("utf-8-sig"))
    except BadGift as error:
        section.problem("gift", f"questions in GIFT format, but {name}, {error}")
    except UnicodeDecodeError:
        section.problem("gift", f"a text in UTF-8, which {name} is not")
    return []
