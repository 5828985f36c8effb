"""The forms of accounts: what is asked for, and the sentence for each thing that is wrong."""

from __future__ import annotations

from typing import Any

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from app.accounts import users
from app.accounts.models import EMAIL_LENGTH, NAME_LENGTH
from app.accounts.passwords import MINIMUM_LENGTH, password_problem

PASSWORD_HINT = (
    f"At least {MINIMUM_LENGTH} characters. A few words in a row are easy to remember and hard to guess."
)


def _required(what: str) -> InputRequired:
    return InputRequired(f"Enter {what}.")


def _name_field(label: str, autocomplete: str) -> StringField:
    rules = [
        DataRequired(f"Enter your {label.lower()}."),
        Length(max=NAME_LENGTH, message=f"Use at most {NAME_LENGTH} characters."),
    ]
    return StringField(label, rules, render_kw={"autocomplete": autocomplete, "maxlength": NAME_LENGTH})


def _email_field() -> EmailField:
    return EmailField(
        "E-mail address",
        [
            _required("your e-mail address"),
            Length(max=EMAIL_LENGTH, message="That is too long for an address."),
        ],
        render_kw={"autocomplete": "username", "inputmode": "email", "spellcheck": "false"},
    )


def _password_field(label: str, *, is_new: bool) -> PasswordField:
    autocomplete = "new-password" if is_new else "current-password"
    return PasswordField(label, [_required("a password")], render_kw={"autocomplete": autocomplete})


def _check_is_printable(_form: FlaskForm, field: Any) -> None:
    if not field.data.isprintable():
        raise ValidationError("Use letters that can be seen.")


class Form(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """Base of the forms."""


class SignInForm(Form):
    """Sign in."""

    email = _email_field()
    password = _password_field("Password", is_new=False)
    next = HiddenField()


class _NewPasswordForm(Form):
    """A form with a new password; it must not be one that others would guess."""

    def validate_password(self, field: Any) -> None:
        """Refuse what is too short or too common."""
        problem = password_problem(field.data, personal=self.personal_words())
        if problem:
            raise ValidationError(problem)

    def personal_words(self) -> list[str]:
        """Give the words that would be guessed first."""
        if current_user.is_authenticated:
            return [current_user.email, current_user.first_name, current_user.last_name]
        return []


class RegisterForm(_NewPasswordForm):
    """Make an account."""

    first_name = _name_field("First name", "given-name")
    last_name = _name_field("Last name", "family-name")
    email = _email_field()
    password = _password_field("Password", is_new=True)

    validate_first_name = validate_last_name = staticmethod(_check_is_printable)

    def validate_email(self, field: Any) -> None:
        """Refuse what no mail could be sent to."""
        try:
            users.normalise_email(field.data)
        except users.AccountError:
            raise ValidationError("That is not an e-mail address, like name@example.org.") from None

    def personal_words(self) -> list[str]:
        """Give what was just typed."""
        return [self.email.data or "", self.first_name.data or "", self.last_name.data or ""]


class ProfileForm(Form):
    """Change one's name."""

    first_name = _name_field("First name", "given-name")
    last_name = _name_field("Last name", "family-name")

    validate_first_name = validate_last_name = staticmethod(_check_is_printable)


class ChangePasswordForm(_NewPasswordForm):
    """Change one's password."""

    current_password = _password_field("Current password", is_new=False)
    password = _password_field("New password", is_new=True)


class ForgotForm(Form):
    """Ask for a link by mail."""

    email = _email_field()


class ResetForm(_NewPasswordForm):
    """Set a new password with the link from the mail."""

    password = _password_field("New password", is_new=True)
