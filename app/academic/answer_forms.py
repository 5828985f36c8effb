"""The form of an assignment's questions: what it shows, what it brought, and what of it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.academic.assignments import materialised
from app.academic.grading.answers.content import FILE_NAME, BadAnswers, read_answers, write_answers
from app.academic.grading.answers.judging import LONGEST, judge
from app.academic.grading.answers.questions import CHOICES, NUMERIC
from app.academic.grading.formats import load_assignment
from app.academic.grading.parts.answer_key import AnswerKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from app.academic.grading.answers.questions import Question
    from app.academic.models import Assignment, Submission

Answers = dict[str, list[str]]
_TRUTH: Final = (("true", "True"), ("false", "False"))
_HINTS: Final = {
    "numeric": "A number, such as 3.14, 22/7 or 6.02e23.",
    "sigfig": "A number to {digits} significant figures.",
    "decdig": "A number to {digits} digits after the point.",
    "integer": "A whole number.",
    "rational": "A fraction such as 3/4.",
    "set": "A set such as {{1, 2, 3}}; {{}} is the empty one.",
    "multi_choice": "Choose all that are right.",
}


class AnswersRejected(ValueError):
    """Some answers cannot be read; `problems` has a sentence for each question's id."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        count = len(problems)
        super().__init__(
            f"{count} {'answer' if count == 1 else 'answers'} could not be read: nothing was handed in yet."
            if count
            else "There is no answer in the form yet: nothing was handed in."
        )


@dataclass(frozen=True, kw_only=True)
class Field:
    """One question of the form, with what stands in it."""

    number: int
    question: Question
    # text, radio or check
    control: str
    # Value and label of each option.
    options: tuple[tuple[str, str], ...] = ()
    given: tuple[str, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """The field's name in the form."""
        return f"answer-{self.number}"

    @property
    def hint(self) -> str:
        """What kind of answer is expected."""
        hint = _HINTS.get(self.question.kind, "").format(digits=self.question.digits)
        unit = f" The unit is {self.question.units[0]}." if self.question.units else ""
        return hint + unit

    @property
    def is_number(self) -> bool:
        """Whether a keyboard for numbers helps."""
        return self.question.kind in NUMERIC and self.question.kind != "rational"


def questions_of(assignment: Assignment) -> tuple[Question, ...]:
    """Return the questions of all answer-key parts, in their order; none for other assignments."""
    if FILE_NAME not in assignment.submit_names:
        return ()
    with materialised(assignment) as folder:
        parts = load_assignment(folder).parts
    return tuple(question for part in parts if isinstance(part, AnswerKey) for question in part.questions)


def fields_of(
    questions: Sequence[Question], given: Mapping[str, Sequence[str]], problems: Mapping[str, str]
) -> list[Field]:
    """Return the form's fields, filled with what was given."""
    return [
        Field(
            number=number,
            question=question,
            control=_control(question),
            options=_options(question),
            given=tuple(given.get(question.id, ())),
            problem=problems.get(question.id, ""),
        )
        for number, question in enumerate(questions, start=1)
    ]


def sent_answers(questions: Sequence[Question], form: MultiDict[str, str]) -> Answers:
    """Return what the form brought by the questions' ids, without what was left empty."""
    found: Answers = {}
    for field in fields_of(questions, {}, {}):
        values = [value.strip()[: LONGEST + 1] for value in form.getlist(field.name)]
        if kept := [value for value in values if value]:
            found[field.question.id] = kept if field.control == "check" else kept[:1]
    return found


def answers_file(questions: Sequence[Question], answers: Answers) -> tuple[str, bytes]:
    """Return the file to hand in; AnswersRejected when an answer cannot be read: no attempt is spent."""
    problems = {
        question.id: found.note
        for question in questions
        if question.id in answers and not (found := judge(question, answers[question.id])).is_valid
    }
    if problems or not answers:
        raise AnswersRejected(problems)
    return FILE_NAME, write_answers(answers)


def earlier_answers(submission: Submission | None) -> Answers:
    """Return the answers of an earlier attempt, for going on from them."""
    content = (
        next((file.content for file in submission.files if file.name == FILE_NAME), b"")
        if submission
        else b""
    )
    try:
        return read_answers(content) if content else {}
    except BadAnswers:
        return {}


def _control(question: Question) -> str:
    if question.kind == "multi_choice":
        return "check"
    return "radio" if question.kind in (*CHOICES, "boolean") else "text"


def _options(question: Question) -> tuple[tuple[str, str], ...]:
    return _TRUTH if question.kind == "boolean" else tuple((option, option) for option in question.options)
