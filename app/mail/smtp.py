"""Handing one mail to the mail server, and telling what became of it."""

from __future__ import annotations

import smtplib
import ssl
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from flask import current_app
from flask_mail import BadHeaderError, Connection, Message

if TYPE_CHECKING:
    from app.mail.models import OutboxMail

Outcome = Literal["sent", "refused", "try_again", "unknown"]


# The mailbox does not exist, is not here, or may not be written like that: nobody reads it.
_NO_SUCH_MAILBOX: Final = (550, 551, 553)


class Report(NamedTuple):
    """What became of a mail, and what the server said."""

    outcome: Outcome
    error: str | None = None
    is_address_bad: bool = False


class _Tracking:
    """Remembers whether the mail itself was handed over: from then on a broken line proves nothing."""

    data_was_sent = False

    def data(self, msg: Any) -> Any:
        self.data_was_sent = True
        return super().data(msg)  # type: ignore[misc]


class _Smtp(_Tracking, smtplib.SMTP):
    pass


class _SmtpOverTls(_Tracking, smtplib.SMTP_SSL):
    pass


class _PatientConnection(Connection):
    """Flask-Mail's connection, with a time limit for each step and a look at the certificate."""

    def configure_host(self) -> smtplib.SMTP:
        where = (self.mail.server, self.mail.port)
        patience, trusted = current_app.config["MAIL_TIMEOUT_SECONDS"], ssl.create_default_context()
        if self.mail.use_ssl:
            self.host = _SmtpOverTls(*where, timeout=patience, context=trusted)
        else:
            self.host = _Smtp(*where, timeout=patience)
        if self.mail.use_tls:
            self.host.starttls(context=trusted)
        if self.mail.username and self.mail.password:
            self.host.login(self.mail.username, self.mail.password)
        return self.host


def send(mail: OutboxMail) -> Report:
    """Hand the mail to the mail server; never raises for what the network or the server does."""
    connection = _PatientConnection(current_app.extensions["mail"])
    try:
        connection.configure_host()
        connection.send(message(mail))
    except BadHeaderError:
        return Report("refused", "a header of the mail has a line break in it")
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
        # Nothing is wrong with the mail: the site's settings do not fit the server.
        return Report("try_again", _words(error))
    except smtplib.SMTPRecipientsRefused as error:
        return _by_code(*next(iter(error.recipients.values())))
    except smtplib.SMTPResponseException as error:
        return _by_code(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        was_sent = getattr(connection.host, "data_was_sent", False)
        return Report("unknown" if was_sent else "try_again", _words(error))
    finally:
        _hang_up(connection)
    return Report("sent")


def message(mail: OutboxMail) -> Message:
    """Build the mail as it goes out, headers included."""
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if mail.references:
        headers |= {"References": mail.references, "In-Reply-To": mail.references}
    if mail.list_id:
        headers["List-Id"] = mail.list_id
    if mail.unsubscribe_url:
        # RFC 8058: a mail program may ask for this by itself, with a POST.
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    built = Message(
        subject=mail.subject,
        recipients=[mail.to],
        body=mail.text,
        html=mail.html,
        reply_to=mail.reply_to,
        date=mail.created_at.timestamp(),
        extra_headers=headers,
    )
    built.msgId = mail.message_id
    return built


def _by_code(code: int, said: bytes | str) -> Report:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    # 5xx: for good. 4xx: not now.
    outcome: Outcome = "refused" if code >= 500 else "try_again"  # noqa: PLR2004
    return Report(outcome, f"the mail server said {code} {text}".strip(), code in _NO_SUCH_MAILBOX)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _hang_up(connection: Connection) -> None:
    """End the conversation; a server that does not say goodbye has still taken the mail."""
    if connection.host is None:
        return
    try:
        connection.host.quit()
    except (OSError, smtplib.SMTPException):
        connection.host.close()
