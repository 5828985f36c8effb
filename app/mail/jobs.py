"""The job that delivers mail."""

from __future__ import annotations

from app.mail.delivery import deliver


class DeliverMailJob:
    """Deliver one mail of the outbox."""

    def handle(self, mail_id: int) -> dict[str, str]:
        """Send it, or keep it when the site has no mail server; safe to run again."""
        return {"status": deliver(mail_id)}
