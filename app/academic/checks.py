"""Trying a version of an assignment with its samples, as a job: what came out is kept for staff to read."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from app.academic.models import Assignment, AssignmentVersion
from app.db import Base, db, writing
from app.runner import run_background_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.grading.check import AssignmentCheck
    from app.academic.grading.results import GradeReport

HANDLER: Final = "app.academic.jobs.CheckAssignmentJob"
# The runner's rows are only read, through the metadata that both share.
_JOBS: Final = Base.metadata.tables["background_jobs"]
_MESSAGE_SHOWN: Final = 600


@dataclass(frozen=True, kw_only=True)
class ShownVersion:
    """A version with what a person reads of its check."""

    version: AssignmentVersion
    # untried, running, sound, unsound, or broken: the check itself did not end.
    state: str
    report: dict[str, Any]


def ask_for_check(session: Session, assignment_id: int, number: int) -> int:
    """Enqueue the check of a version; asked again while one waits, it is that one. Gives the job's number."""
    version = session.get_one(AssignmentVersion, (assignment_id, number), with_for_update=True)
    job = run_background_job(
        HANDLER,
        "handle",
        [assignment_id, number],
        priority=1,
        retries=0,
        unique_key=f"check:{assignment_id}:{number}",
        session=session,
    )
    version.check_job_id = job.id
    version.check_report = version.checked_at = None
    return job.id


def run_check(assignment_id: int, number: int) -> dict[str, Any]:
    """Grade the samples and keep what came out; what is wrong with the assignment is a finding."""
    from app.academic.assignments import ImportRefused, materialised
    from app.academic.grading.check import check_assignment
    from app.academic.grading.errors import AssignmentError, AutograderError

    assignment = db.session.get_one(Assignment, assignment_id)
    with materialised(assignment, number) as folder:
        # Grading takes seconds: no open transaction waits for it meanwhile.
        db.session.commit()
        try:
            report = _report(check_assignment(folder))
        except AssignmentError as error:
            report = {"warnings": list(error.problems), "samples": []}
        except (AutograderError, ImportRefused) as error:
            report = {"warnings": [str(error)[:4000]], "samples": []}
    with writing() as session:
        version = session.get_one(AssignmentVersion, (assignment_id, number))
        version.check_report = json.dumps(report)
        version.checked_at = dt.datetime.now(dt.UTC)
    return report


def shown_versions(session: Session, assignment: Assignment) -> list[ShownVersion]:
    """All versions of an assignment, newest first."""
    versions = session.scalars(
        select(AssignmentVersion)
        .where(AssignmentVersion.assignment_id == assignment.id)
        .order_by(AssignmentVersion.number.desc())
    ).all()
    states = _job_states(session, [it.check_job_id for it in versions if it.check_job_id])
    return [_shown(it, states) for it in versions]


def _shown(version: AssignmentVersion, states: dict[int, str]) -> ShownVersion:
    if version.check_report is not None:
        report = json.loads(version.check_report)
        return ShownVersion(
            version=version, state="unsound" if report["warnings"] else "sound", report=report
        )
    if version.check_job_id is None:
        return ShownVersion(version=version, state="untried", report={})
    is_under_way = states.get(version.check_job_id) in {"pending", "running"}
    return ShownVersion(version=version, state="running" if is_under_way else "broken", report={})


def _job_states(session: Session, job_ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(_JOBS.c.id, _JOBS.c.status).where(_JOBS.c.id.in_(job_ids)))
    return {row[0]: row[1] for row in rows}


def _report(made: AssignmentCheck) -> dict[str, Any]:
    samples = (("solution", made.solution), ("stub", made.stub))
    return {
        "warnings": list(made.warnings),
        "samples": [_sample(name, report) for name, report in samples if report is not None],
        "parts": [
            {"type": part.type, "title": part.title, "points": part.points, "summary": part.summary}
            for part in made.spec.parts
        ],
    }


def _sample(name: str, report: GradeReport) -> dict[str, Any]:
    return {
        "name": name,
        "outcome": report.outcome,
        "score": report.score,
        "points": report.points,
        "passed": report.passed,
        "seconds": report.seconds,
        "tests": [
            {
                "title": test.title,
                "is_passed": test.is_passed,
                "points": test.points,
                "max_points": test.max_points,
                "message": test.message[:_MESSAGE_SHOWN],
            }
            for test in report.tests
        ],
    }
