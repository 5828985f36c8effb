"""What students and staff are told by mail, when, and what never."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from app.academic import jobs, mail_jobs
from app.academic.mail_models import ToldGrade
from app.academic.models import Assignment, Course, Extension, Grade, Submission, SubmissionJob
from app.academic.notification import queue_extension, request_grade_mail
from app.accounts.models import AuditEvent
from app.db import db, writing
from app.mail.models import DigestItem, OutboxMail, RefusedAddress
from app.mail.preferences import preference_of
from app.runner import Snooze
from app.runner.models import Job
from tests.academic_world import RIGHT, WRONG, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from app.accounts.models import User
    from tests.conftest import MakeUser, SignIn

SITE = "http://course.example.org"


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


def mails(world: World, kind: str = "") -> list[OutboxMail]:
    """Give the mails of the outbox, oldest first."""
    with world.application.app_context():
        query = select(OutboxMail).order_by(OutboxMail.id)
        found = list(db.session.scalars(query.where(OutboxMail.kind == kind) if kind else query))
        for mail in found:
            db.session.expunge(mail)
        return found


def choose(world: World, person: User, **choices: str) -> None:
    """Have a person choose their mail."""
    with world.application.app_context(), writing() as session:
        preference = preference_of(session, person.id)
        for scope, choice in choices.items():
            setattr(preference, scope, choice)


def receive(world: World, content: bytes = RIGHT, *, at: dt.datetime | None = None) -> tuple[int, Any]:
    """Hand in and have the receipt's job run; give the submission and what the job says."""
    one = world.hand_in(world.ann, content, at=at).submission_id
    return one, world.run(jobs.NotifyStudentOfSubmissionJob, one)


def grade(world: World, submission_id: int, score: float | None = 40.0, **values: Any) -> None:
    """Keep a grade as grading would."""
    row = {"outcome": "graded", "verdict": "", "points": 40.0, "report": REPORT, "job_id": 1, "attempt": 1}
    with world.application.app_context(), writing() as session:
        known = session.get(Grade, submission_id)
        if known is None:
            graded = Grade(submission_id=submission_id, graded_at=dt.datetime.now(dt.UTC), **row)
            session.add(graded)
            known = graded
        known.score = score
        for name, value in values.items():
            setattr(known, name, value)


def tell(world: World) -> Any:
    """Run the job that tells Ann of her grades."""
    return world.run(mail_jobs.SendGradeMailJob, world.assignment_id, world.ann.id)


@pytest.fixture(autouse=True)
def report(world: World) -> None:
    """Have a report of real grading at hand: one test passed, one failed."""
    global REPORT  # noqa: PLW0603 - made once a test, by grading
    one = world.hand_in(world.ben, WRONG).submission_id
    world.run(jobs.AutomatedGradingJob, one)
    with world.application.app_context():
        REPORT = db.session.get_one(Grade, one).report


REPORT = ""


def test_a_grade_is_told_with_the_fact_first(world: World) -> None:
    """Score, failed tests by name, receipt, hash, link and deadline; nothing of what the tests printed."""
    one, _ = receive(world, WRONG)
    grade(world, one, 20.0)
    assert ["kept"] == tell(world)["statuses"]

    [mail] = mails(world, "grade")
    assert "CS 1 Adding up: 20 of 40, attempt 1" == mail.subject
    assert mail.text.startswith("20 of 40, 1 test failed.\n")
    assert "20 of 40, 1 test failed." in mail.html
    with world.application.app_context():
        submission = db.session.get_one(Submission, one)
        needed = (submission.receipt, submission.sha256, f"{SITE}/submissions/{submission.receipt}", "Due 20")
    for words in needed:
        assert words in mail.text
        assert words in mail.html
    assert "assert" not in mail.text + mail.html


def test_receipt_and_grade_are_one_thread_of_the_courses_list(world: World) -> None:
    """Both refer to the same, name the course's list, answer to its teacher, and can be ended."""
    one, _ = receive(world)
    grade(world, one)
    tell(world)
    receipt, told = mails(world)
    assert receipt.references == told.references
    assert {"<cs-1.course.example.org>"} == {receipt.list_id, told.list_id}
    assert {"teacher@example.com"} == {receipt.reply_to, told.reply_to}
    assert receipt.unsubscribe_url is not None
    assert told.unsubscribe_url is not None
    assert receipt.unsubscribe_url.startswith(f"{SITE}/mail/unsubscribe/receipts/")
    assert told.unsubscribe_url.startswith(f"{SITE}/mail/unsubscribe/grades/")
    assert told.unsubscribe_url in told.text


def test_only_the_newest_attempt_is_told(world: World) -> None:
    """Who hands in three times in a row gets one mail of a grade, and it is told once."""
    for number in range(3):
        one = world.hand_in(world.ann, RIGHT + b"#" * number).submission_id
        grade(world, one, 10.0 * (number + 1))
    for _ in range(2):
        tell(world)
    [mail] = mails(world, "grade")
    assert "30 of 40, attempt 3" in mail.subject


def test_an_attempt_that_is_not_graded_yet_is_waited_for(world: World) -> None:
    """While the newest is still being graded nothing is told of those before it."""
    first = world.hand_in(world.ann, WRONG).submission_id
    world.hand_in(world.ann, RIGHT)
    grade(world, first)
    assert [] == tell(world)["mails"]


def test_a_changed_grade_is_told_as_that(world: World) -> None:
    """What was told and is no longer so is told again, also of an older attempt; the same is not."""
    one, _ = receive(world, WRONG)
    grade(world, one, 20.0)
    tell(world)
    two, _ = receive(world, RIGHT)
    grade(world, two, 40.0)
    tell(world)
    grade(world, one, 25.5)
    tell(world)
    tell(world)

    [changed] = mails(world, "grade-changed")
    assert "CS 1 Adding up: changed: 25.5 of 40, attempt 1" == changed.subject
    assert "(it was: 20 of 40)" in changed.text
    assert 2 == len(mails(world, "grade"))


def test_grades_that_come_together_are_one_job(world: World) -> None:
    """Many grades of a student wait for one mail's job, for twenty seconds; a running one has a successor."""
    one, _ = receive(world)
    of_mail = select(Job).where(Job.class_name == "app.academic.mail_jobs.SendGradeMailJob")
    of_ann = of_mail.where(Job.parameters == f"[{world.assignment_id}, {world.ann.id}]")
    with world.application.app_context():
        for _ in range(3):
            with writing() as session:
                request_grade_mail(session, session.get_one(Submission, one))
        [job] = db.session.scalars(of_ann).all()
        assert 20 == round((job.run_at - job.created_at).total_seconds())
        with writing() as session:
            mine = update(Job).where(Job.id == job.id)
            session.execute(mine.values(status="running", launcher_id="l", attempt=1))
        for _ in range(2):
            with writing() as session:
                request_grade_mail(session, session.get_one(Submission, one))
        assert 2 == len(db.session.scalars(of_ann).all())


def test_grading_asks_for_the_mail(world: World) -> None:
    """A grade that is kept has its mail's job in the same transaction."""
    with world.application.app_context():
        query = select(Job.parameters).where(Job.class_name.endswith("SendGradeMailJob"))
        assert [f"[{world.assignment_id}, {world.ben.id}]"] == list(db.session.scalars(query))


def test_a_hidden_total_is_not_told(world: World) -> None:
    """Where a test is hidden neither subject nor text give the score away, and hidden tests have no name."""
    one, _ = receive(world, WRONG)
    hidden = REPORT.replace('"visibility": "visible"', '"visibility": "hidden"')
    assert hidden != REPORT
    grade(world, one, 17.25, hides="always", report=hidden)
    tell(world)
    [mail] = mails(world, "grade")
    assert "CS 1 Adding up: graded, the total is shown later, attempt 1" == mail.subject
    for secret in ("17.25", "Small numbers", "failed"):
        assert secret not in mail.text + mail.html


def test_a_course_may_keep_scores_out_of_subjects(world: World) -> None:
    """The subject is read on locked screens; the score then stands in the mail only."""
    with world.application.app_context(), writing() as session:
        session.get_one(Course, world.course_id).is_score_in_subject = False
    one, _ = receive(world)
    grade(world, one, 33.0)
    tell(world)
    [mail] = mails(world, "grade")
    assert "CS 1 Adding up: graded, attempt 1" == mail.subject
    assert "33 of 40" in mail.text


def test_nobody_is_told_of_others(world: World) -> None:
    """No mail to Ann has Ben in it."""
    one, _ = receive(world)
    grade(world, one)
    tell(world)
    for mail in mails(world):
        assert "ann@example.com" == mail.to
        assert "Ben" not in mail.text + mail.html


def test_who_wants_none_gets_none(world: World) -> None:
    """Receipts and grades that are not wanted are not written; the grade counts as known."""
    choose(world, world.ann, receipts="none", grades="none")
    one, said = receive(world)
    assert {"mail": None, "status": "not wanted"} == said
    grade(world, one)
    tell(world)
    assert [] == mails(world)
    choose(world, world.ann, grades="every")
    tell(world)
    assert [] == mails(world)


def test_a_digest_tells_all_at_once(world: World) -> None:
    """What is wanted once a day is kept until then, sent as one mail, and not sent again."""
    choose(world, world.ann, receipts="digest", grades="digest")
    one, said = receive(world)
    assert {"mail": None, "status": "in the digest"} == said
    world.run(jobs.NotifyStudentOfSubmissionJob, one, attempt=2)
    grade(world, one)
    tell(world)
    assert [] == mails(world)

    assert [{"digests": 1}, {"digests": 0}] == [world.run(mail_jobs.SendDigestsJob) for _ in range(2)]
    [mail] = mails(world)
    assert ("digest", "ann@example.com") == (mail.kind, mail.to)
    assert "Your coursework: 2 pieces of news" == mail.subject
    assert "attempt 1, on time" in mail.text
    assert "40 of 40" in mail.text
    with world.application.app_context():
        assert [] == list(db.session.scalars(select(DigestItem)))
        assert f"[{mail.id}]" in db.session.scalars(select(Job.parameters)).all()


def test_first_and_final(world: World) -> None:
    """The first attempt is told at once, those in between never, the last one once the deadline is over."""
    choose(world, world.ann, receipts="ends", grades="ends")
    first, _ = receive(world, WRONG)
    grade(world, first, 20.0)
    tell(world)
    assert ["receipt", "grade"] == [mail.kind for mail in mails(world)]
    for number in (1, 2):
        last, said = receive(world, RIGHT + b"#" * number)
        assert "when it is final" == said["status"]
        grade(world, last)
        tell(world)
    assert 2 == len(mails(world))

    final = (mail_jobs.SendFinalMailJob, world.assignment_id, world.ann.id)
    with pytest.raises(Snooze) as later:
        world.run(*final)
    assert 86_000 < later.value.delay < 87_000
    with world.application.app_context(), writing() as session:
        now = dt.datetime.now(dt.UTC)
        session.get_one(Assignment, world.assignment_id).due_at = now - dt.timedelta(minutes=10)
        session.execute(update(Submission).values(created_at=now - dt.timedelta(minutes=20)))
    for _ in range(2):
        world.run(*final)
    assert ["receipt", "grade", "receipt", "grade"] == [mail.kind for mail in mails(world)]
    assert "attempt 3" in mails(world)[-1].subject


def test_an_extension_is_told_whatever_was_chosen(world: World) -> None:
    """A deadline of one's own matters too much for a choice; the mail and its job go with the extension."""
    choose(world, world.ann, receipts="none", grades="none")
    now = dt.datetime(2027, 1, 2, 3, 4, tzinfo=dt.UTC)
    with world.application.app_context():
        for _ in range(2):
            with writing() as session:
                extension = Extension(
                    assignment_id=world.assignment_id,
                    student_id=world.ann.id,
                    due_at=now,
                    extra_attempts=1,
                    reason="You were ill.",
                    granted_at=now,
                )
                queue_extension(session, extension)
    [mail] = mails(world)
    assert ("extension", "ann@example.com") == (mail.kind, mail.to)
    assert "CS 1 Adding up: you may hand in until 2027-01-02 03:04 UTC" == mail.subject
    assert "You were ill." in mail.text
    assert "1 more attempt than others" in mail.text


def test_a_refused_address_gets_no_grades(world: World) -> None:
    """Where mail came back only receipts are tried: what nobody reads makes the site look like a spammer."""
    with world.application.app_context(), writing() as session:
        session.add(RefusedAddress(address="ann@example.com", reason="550"))
    one, _ = receive(world)
    grade(world, one)
    tell(world)
    assert ["receipt"] == [mail.kind for mail in mails(world)]
    with world.application.app_context():
        assert db.session.get(ToldGrade, one) is not None


def fail(world: World, submission_id: int, *, attempt: int = 4, status: str = "failed") -> int:
    """Have a submission's grading job come to an end that is no grade."""
    now = dt.datetime.now(dt.UTC)
    with world.application.app_context(), writing() as session:
        query = select(SubmissionJob.job_id).where(
            SubmissionJob.submission_id == submission_id, SubmissionJob.kind == "grading"
        )
        job_id = session.scalars(query).one()
        is_over = status == "failed"
        values = {"status": status, "finished_at": now if is_over else None, "attempt": attempt}
        session.execute(update(Job).where(Job.id == job_id).values(error="the disk is full", **values))
        return job_id


def test_staff_are_told_once_every_retry_is_used_up(world: World) -> None:
    """One mail for all that failed since the last look; what is still retried is not told."""
    one, two = (world.hand_in(world.ann, RIGHT + b"#" * number).submission_id for number in range(2))
    fail(world, one, status="pending")
    assert 0 == world.run(mail_jobs.WatchGradingJob)["failures"]
    first, second = fail(world, one), fail(world, two)
    assert [2, 0] == [world.run(mail_jobs.WatchGradingJob)["failures"] for _ in range(2)]

    [mail] = mails(world, "staff-alarm")
    assert "teacher@example.com" == mail.to
    assert "CS 1 Adding up: grading of 2 submissions failed" == mail.subject
    for job in (first, second):
        assert f"Job {job}, " in mail.text
    assert "the disk is full" in mail.text
    assert "Ann" not in mail.text + mail.html

    fail(world, one, attempt=8)
    assert 1 == world.run(mail_jobs.WatchGradingJob)["failures"]


def test_staff_may_end_alarms(world: World) -> None:
    """Who wants no alarms gets none, and who wants them in the digest gets them there."""
    one = world.hand_in(world.ann).submission_id
    for choice, items in (("none", 0), ("digest", 1)):
        choose(world, world.teacher, alarms=choice)
        fail(world, one, attempt=items + 1)
        world.run(mail_jobs.WatchGradingJob)
        with world.application.app_context():
            assert items == len(db.session.scalars(select(DigestItem)).all())
    assert [] == mails(world, "staff-alarm")


def test_admins_are_told_of_work_that_waits_too_long(world: World) -> None:
    """The age of the oldest work is the alarm, once an hour; work that is not due yet is not old."""
    one = world.hand_in(world.ann).submission_id
    assert 0 == world.run(mail_jobs.WatchGradingJob)["queue"]
    with world.application.app_context(), writing() as session:
        query = select(SubmissionJob.job_id).where(SubmissionJob.submission_id == one)
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=12)
        session.execute(update(Job).where(Job.id.in_(query)).values(run_at=long_ago))
    assert [1, 1] == [world.run(mail_jobs.WatchGradingJob)["queue"] for _ in range(2)]
    [mail] = mails(world, "staff-alarm")
    assert "admin@example.com" == mail.to
    assert "waited for 12 minutes" in mail.subject


def test_a_released_total_is_told(world: World) -> None:
    """Who was told that the total is shown later is told when it is."""
    from app.academic.pausing import release_results

    one, _ = receive(world, WRONG)
    grade(world, one, 17.25, hides="always")
    tell(world)
    with world.application.app_context(), writing() as session:
        release_results(session, world.assignment_id)
    tell(world)
    assert "changed: 17.25 of 40" in mails(world, "grade-changed")[0].subject


def test_a_teacher_keeps_scores_out_of_subjects(world: World, client: FlaskClient, sign_in: SignIn) -> None:
    """The page changes it and the audit log says so; students and other courses' teachers find no page."""
    page = f"/courses/{world.course_id}/mail"
    for person in (world.ann, world.colleague):
        assert 404 == sign_in(person, client=world.application.test_client()).get(page).status_code
        other = sign_in(person, client=world.application.test_client())
        assert 404 == other.post(page, data={}).status_code
    browser = sign_in(world.teacher)
    assert "82 of 100, attempt 3" in " ".join(browser.get(page).text.split())
    assert 303 == browser.post(page, data={}).status_code
    assert "graded, attempt 3" in " ".join(browser.get(page).text.split())
    with world.application.app_context():
        assert not db.session.get_one(Course, world.course_id).is_score_in_subject
        row = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "score_in_subject")).one()
        assert ("teacher@example.com", "said", "not said") == (row.actor, row.before, row.after)


def test_who_is_granted_an_extension_is_told(world: World) -> None:
    """Granting queues the mail and its job; the grade that it changes is told too."""
    from app.academic.extensions import Wanted, grant

    one, _ = receive(world)
    grade(world, one)
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    wanted = Wanted(
        student_id=world.ann.id, due_at=until, late_due_at=None, extra_attempts=0, reason="You were ill."
    )
    with world.application.app_context(), writing() as session:
        grant(session, world.assignment_id, wanted, by_id=world.teacher.id)
    [mail] = mails(world, "extension")
    assert f"you may hand in until {until:%Y-%m-%d %H:%M} UTC" in mail.subject
    with world.application.app_context():
        asked = db.session.execute(select(Job.class_name, Job.parameters))
        found = {(row.class_name.rpartition(".")[2], row.parameters) for row in asked}
    assert ("DeliverMailJob", f"[{mail.id}]") in found
    assert ("SendGradeMailJob", f"[{world.assignment_id}, {world.ann.id}]") in found
