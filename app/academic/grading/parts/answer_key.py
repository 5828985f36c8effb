"""`type: answer-key`: a form of questions, each judged by its key. No code of anybody's runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.academic.grading.answers.content import FILE_NAME, BadAnswers, read_answers
from app.academic.grading.answers.judging import Judgement, judge
from app.academic.grading.answers.reading import read_questions
from app.academic.grading.parts.base import VISIBILITIES, PartResult
from app.academic.grading.results import TestResult, storable

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.answers.questions import Question
    from app.academic.grading.manifest import Section
    from app.academic.grading.parts.base import Setting, Work

_SHOWN_TITLE = 120
_SHOWN_ANSWER = 200


@dataclass(frozen=True, kw_only=True)
class AnswerKey:
    """The questions with their keys."""

    type: str = "answer-key"
    title: str = "Answers"
    points: float = 100.0
    questions: tuple[Question, ...] = ()
    expected_files: tuple[str, ...] = (FILE_NAME,)
    is_python: bool = False

    @property
    def summary(self) -> str:
        """One line for the instructor: what it grades with."""
        kinds = dict.fromkeys(question.kind for question in self.questions)
        return f"{len(self.questions)} questions ({', '.join(kinds)})"

    def grade(self, work: Work) -> PartResult:
        """Judge every question; what is not answered gives nothing."""
        try:
            answers = read_answers(work.files.get(FILE_NAME, b"{}"))
        except BadAnswers as error:
            return PartResult(not_gradable=f"Not graded: {FILE_NAME}: {error}.")
        return PartResult(
            tests=tuple(_result(question, answers.get(question.id, [])) for question in self.questions)
        )


def recognises(folder: Path) -> bool:
    """Whether a question bank lies in it."""
    return any(folder.glob("*.gift"))


def parse(section: Section, setting: Setting) -> AnswerKey:
    """Read the part; a question bank that lies alone in the folder need not be named."""
    section.text("type", "")
    visibility = section.choice("visibility", VISIBILITIES)
    return AnswerKey(
        title=section.text("title", "Answers"),
        points=section.number("points", setting.share, above=0),
        questions=read_questions(section, setting, visibility),
    )


def _result(question: Question, given: list[str]) -> TestResult:
    found = judge(question, given)
    is_right = found.fraction >= 1
    return TestResult(
        name=question.id,
        title=storable(" ".join((question.prompt or question.id).split())[:_SHOWN_TITLE]),
        status="passed" if is_right else "failed",
        verdict="accepted" if is_right else "wrong_answer",
        points=round(question.points * min(max(found.fraction, 0.0), 1.0), 6),
        max_points=question.points,
        message="" if is_right else storable(_message(found, given)),
        visibility=question.visibility,
    )


def _message(found: Judgement, given: list[str]) -> str:
    said = "; ".join(given)[:_SHOWN_ANSWER]
    lines = [f"Your answer: {said}"] if said.strip() else []
    lines += ["Partly right."] if found.fraction > 0 else []
    return "\n".join([*lines, found.note]).strip()
