"""The receipt that a student gets by mail: queued once, whatever is retried."""

from __future__ import annotations

from app.academic.models import Submission
from app.db import writing
from app.mail.outbox import queue_mail


def queue_receipt(submission_id: int) -> int:
    """Put the receipt into the outbox and give the mail's number; asked again, that of the same mail."""
    with writing() as session:
        submission = session.get_one(Submission, submission_id)
        assignment, course = submission.assignment, submission.assignment.course
        mail = queue_mail(
            session,
            key=f"receipt:{submission.id}",
            kind="receipt",
            to=submission.student.email,
            subject=f"{course.code} {assignment.title}: received, attempt {submission.number}",
            template="receipt",
            context={
                "submission": submission,
                "assignment": assignment,
                "course": course,
                "student": submission.student,
                "path": f"/submissions/{submission.receipt}",
            },
            thread=f"submission:{submission.id}",
            user_id=submission.student_id,
            reply_to=course.instructor.email,
        )
        return mail.id
