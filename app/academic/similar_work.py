"""What staff read about similar work: pairs with filters, clusters, the course of two students' attempts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic.comparison import SHOWN_FROM
from app.academic.models import Submission
from app.academic.similarity import ranked_pairs
from app.academic.similarity.models import SimilarityPair
from app.academic.similarity.prints import stable_hash

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.academic.models import Assignment
    from app.accounts.models import User

VERDICTS: Final = ("open", "dismissed", "confirmed")
MOST_PAIRS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which pairs are asked for."""

    at_least: int = SHOWN_FROM
    verdict: str = ""
    text: str = ""
    cluster: int | None = None

    @property
    def is_any(self) -> bool:
        """Whether some pairs may be left out by them."""
        return self != Filters()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A pair with its two submissions, and the cluster it belongs to."""

    pair: SimilarityPair
    a: Submission
    b: Submission
    cluster: int | None = None

    @property
    def verdict(self) -> str:
        """A person's word, or that there is none yet."""
        return self.pair.verdict or "open"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Students whose work hangs together by pairs that a person should look at."""

    number: int
    students: tuple[User, ...]
    pair_count: int
    highest: int


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One attempt of one of two students."""

    submission: Submission
    is_first: bool
    """Of the student on the left."""
    is_shown: bool
    """It is one of the two that are compared on the page."""
    score: int | None
    """The highest with an attempt of the other student; None if none was compared."""
    after_seconds: float | None
    """Since the attempt before it, whosever that was."""

    @property
    def after(self) -> str:
        """That time as people say it: 3 days 4 h, 2 h 14 min, 35 s."""
        if self.after_seconds is None:
            return ""
        minutes, seconds = divmod(round(self.after_seconds), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = [(days, "days" if days > 1 else "day"), (hours, "h"), (minutes, "min"), (seconds, "s")]
        said = [f"{number} {unit}" for number, unit in parts if number]
        return " ".join(said[:2]) or "at once"


class Names:
    """How students are called on a page: by name, or by a number that says nothing."""

    def __init__(self, assignment_id: int, student_ids: Iterable[int], *, is_hidden: bool) -> None:
        self.is_hidden = is_hidden
        ordered = sorted(set(student_ids), key=lambda student: stable_hash(0, f"{assignment_id}:{student}"))
        self._numbers = {student_id: number for number, student_id in enumerate(ordered, start=1)}

    def __call__(self, student: User) -> str:
        """What the page calls a student."""
        if self.is_hidden:
            return f"Student {self._numbers.get(student.id, 0)}"
        return student.full_name


def names_of(session: Session, assignment: Assignment, *, is_hidden: bool) -> Names:
    """Names of all who handed in; a student keeps the number as long as nobody new hands in."""
    query = select(Submission.student_id).where(Submission.assignment_id == assignment.id).distinct()
    return Names(assignment.id, session.scalars(query) if is_hidden else (), is_hidden=is_hidden)


def pairs_of(session: Session, assignment: Assignment) -> tuple[list[Row], list[Cluster]]:
    """Pairs of an assignment, most alike first, and the clusters they make."""
    found = [it.pair for it in ranked_pairs(session, assignment.id, minimum=SHOWN_FROM, limit=MOST_PAIRS)]
    sides = submissions(session, {it.submission_a_id for it in found} | {it.submission_b_id for it in found})
    rows = [Row(pair=it, a=sides[it.submission_a_id], b=sides[it.submission_b_id]) for it in found]
    clusters, member = _clusters([it for it in rows if _counts(it, assignment.flag_at)])
    return [
        Row(
            pair=it.pair,
            a=it.a,
            b=it.b,
            cluster=member[it.a.student_id] if _counts(it, assignment.flag_at) else None,
        )
        for it in rows
    ], clusters


def filtered(rows: Sequence[Row], filters: Filters, names: Names) -> list[Row]:
    """The pairs that were asked for."""
    text = filters.text.casefold()
    return [
        row
        for row in rows
        if row.pair.score >= filters.at_least
        and filters.verdict in ("", row.verdict)
        and filters.cluster in (None, row.cluster)
        and (not text or any(text in names(side.student).casefold() for side in (row.a, row.b)))
    ]


def next_open(rows: Sequence[Row], pair_id: int, flag_at: float) -> Row | None:
    """The most alike pair that nobody has decided, but for this one."""
    waiting = (it for it in rows if it.pair.id != pair_id and it.verdict == "open")
    return next((it for it in waiting if it.pair.score >= flag_at), None)


def timeline(session: Session, side_a: Submission, side_b: Submission) -> list[Moment]:
    """All attempts of two students in the order they came, and when they became alike."""
    attempts = session.scalars(
        select(Submission)
        .where(
            Submission.assignment_id == side_a.assignment_id,
            Submission.student_id.in_([side_a.student_id, side_b.student_id]),
        )
        .order_by(Submission.created_at, Submission.id)
    ).all()
    scores = _highest_between(session, attempts)
    before: dt.datetime | None = None
    moments = []
    for it in attempts:
        moments.append(
            Moment(
                submission=it,
                is_first=it.student_id == side_a.student_id,
                is_shown=it.id in (side_a.id, side_b.id),
                score=scores.get(it.id),
                after_seconds=(it.created_at - before).total_seconds() if before else None,
            )
        )
        before = it.created_at
    return moments


def submissions(session: Session, ids: Iterable[int]) -> dict[int, Submission]:
    """Submissions with their students."""
    query = select(Submission).where(Submission.id.in_(list(ids))).options(joinedload(Submission.student))
    return {submission.id: submission for submission in session.scalars(query)}


def _counts(row: Row, flag_at: float) -> bool:
    return row.pair.score >= flag_at and row.verdict != "dismissed"


def _clusters(rows: Sequence[Row]) -> tuple[list[Cluster], dict[int, int]]:
    """Connected components, the largest first; and the number of each student's."""
    root: dict[int, int] = {}

    def find(student_id: int) -> int:
        while root.setdefault(student_id, student_id) != student_id:
            student_id = root[student_id]
        return student_id

    for row in rows:
        root[find(row.a.student_id)] = find(row.b.student_id)
    groups: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[find(row.a.student_id)].append(row)
    clusters = [_cluster(group) for group in groups.values()]
    ordered = sorted(clusters, key=lambda it: (-len(it.students), -it.highest, it.students[0].id))
    numbered = [
        Cluster(number=number, students=it.students, pair_count=it.pair_count, highest=it.highest)
        for number, it in enumerate(ordered, start=1)
    ]
    return numbered, {student.id: it.number for it in numbered for student in it.students}


def _cluster(rows: Sequence[Row]) -> Cluster:
    students = {side.student_id: side.student for row in rows for side in (row.a, row.b)}
    ordered = sorted(students.values(), key=lambda it: (it.last_name.casefold(), it.first_name, it.id))
    return Cluster(
        number=0,
        students=tuple(ordered),
        pair_count=len(rows),
        highest=max(row.pair.score for row in rows),
    )


def _highest_between(session: Session, attempts: Sequence[Submission]) -> Mapping[int, int]:
    """Per attempt, how alike it is to the most alike of the other student's."""
    ids = [it.id for it in attempts]
    query = select(SimilarityPair).where(
        SimilarityPair.submission_a_id.in_(ids), SimilarityPair.submission_b_id.in_(ids)
    )
    highest: dict[int, int] = {}
    for pair in session.scalars(query):
        for side in (pair.submission_a_id, pair.submission_b_id):
            highest[side] = max(pair.score, highest.get(side, 0))
    return highest
