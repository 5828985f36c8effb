"""The jobs that write mail about courses; each may run more than once and says everything once."""

from __future__ import annotations

from app.runner import Snooze


class SendGradeMailJob:
    """Tell a student what grading came to."""

    def handle(self, assignment_id: int, student_id: int) -> dict[str, object]:
        """Tell of the newest attempt, and of what has changed since it was told."""
        from app.academic.notification import queue_grade_mails

        return _delivered(queue_grade_mails(assignment_id, student_id))


class SendFinalMailJob:
    """Tell a student of the attempt that was the last one."""

    def handle(self, assignment_id: int, student_id: int) -> dict[str, object]:
        """Wait until the deadline is over, wherever it has been moved to; then tell."""
        from app.academic.notification import queue_final

        mails, wait = queue_final(assignment_id, student_id)
        if wait > 0:
            raise Snooze(wait, "the attempt is not final yet")
        return _delivered(mails)


class SendDigestsJob:
    """Send what people want to be told once a day."""

    def handle(self) -> dict[str, int]:
        """Queue a mail for everybody who has something to read."""
        from app.mail.digests import send_digests

        return {"digests": send_digests()}


class WatchGradingJob:
    """Look whether grading works, and tell staff when it does not."""

    def handle(self) -> dict[str, int]:
        """Tell of jobs that failed for good since the last look, and of work that waits for too long."""
        from app.academic.alarms import tell_failures, tell_queue_age

        return {"failures": tell_failures(), "queue": tell_queue_age()}


def _delivered(mails: list[int]) -> dict[str, object]:
    from app.mail.delivery import deliver_or_leave

    return {"mails": mails, "statuses": [deliver_or_leave(mail_id) for mail_id in mails]}
