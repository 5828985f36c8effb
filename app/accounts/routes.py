"""Pages of accounts for everybody: sign in and out, register, profile, forgotten password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_login import current_user

from app.accounts import forms, passwords, registrations, resets, sessions, throttle, users
from app.accounts.guards import role_required
from app.accounts.models import User
from app.accounts.redirects import go, safe_next
from app.accounts.signing_in import check_password, enter, sign_in
from app.db import db, writing

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("accounts", __name__)


def _address() -> str:
    return request.remote_addr or "unknown"


def _home() -> str:
    return f"{request.script_root}/"


@blueprint.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
def sign_in_page() -> ResponseReturnValue:
    """Sign in and go on to where one wanted to go."""
    form = forms.SignInForm(next=request.args.get("next"))
    target = safe_next(form.next.data)
    if current_user.is_authenticated:
        return redirect(target or _home())
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form), _status(form)
    if sign_in(form.email.data, form.password.data, address=_address()) is None:
        form.password.errors = ["No account has that address and password."]
        return render_template("accounts/sign_in.html", form=form), 422
    return redirect(target or _home(), code=303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Sign out of this browser."""
    sessions.close_session()
    flash("You are signed out.", "success")
    return go("accounts.sign_in")


@blueprint.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Make an account for oneself, as a student."""
    if current_user.is_authenticated:
        return redirect(_home())
    if not current_app.config["REGISTRATION_OPEN"]:
        return render_template("accounts/closed.html"), 403
    form = forms.RegisterForm()
    if form.validate_on_submit():
        _register(form)
        # The same page whether or not the address has an account: only its owner is told, by mail.
        return render_template("accounts/registered.html", has_server=bool(current_app.config["MAIL_SERVER"]))
    return render_template("accounts/register.html", form=form, hint=forms.PASSWORD_HINT), _status(form)


def _register(form: forms.RegisterForm) -> None:
    with writing() as session:
        throttle.reserve(session, kind="register", account=form.email.data, address=_address())
    password_hash = passwords.hash_password(form.password.data)
    with writing() as session:
        registrations.ask(
            session,
            email=form.email.data,
            first_name=form.first_name.data,
            last_name=form.last_name.data,
            password_hash=password_hash,
        )


@blueprint.route("/register/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """Make the account with the link from the mail, and sign in; looking does not use the link up."""
    if current_user.is_authenticated:
        return redirect(_home())
    if not current_app.config["REGISTRATION_OPEN"]:
        return render_template("accounts/closed.html"), 403
    if request.method == "GET" and registrations.is_usable(db.session(), token):
        return render_template("accounts/confirm.html")
    with writing() as session:
        user_id = registrations.redeem(session, token) if request.method == "POST" else None
    if user_id is None:
        return render_template("accounts/confirm_over.html"), 410
    enter(user_id)
    flash("Your account is ready.", "success")
    return redirect(_home(), code=303)


def _status(form: forms.Form) -> int:
    """A form that comes back with problems is not a success."""
    return 422 if form.is_submitted() else 200


@blueprint.route("/profile", methods=["GET", "POST"])
@role_required()
def profile() -> ResponseReturnValue:
    """See one's account and change one's name."""
    form = forms.ProfileForm(obj=current_user)
    if form.validate_on_submit():
        with writing() as session:
            me = users.get(session, current_user.email)
            users.rename(session, me, first_name=form.first_name.data, last_name=form.last_name.data)
        flash("Your name is changed.", "success")
        return go("accounts.profile")
    return _profile_page(form, forms.ChangePasswordForm(formdata=None)), _status(form)


@blueprint.post("/profile/password")
@role_required()
def change_password() -> ResponseReturnValue:
    """Change one's password; every other browser is signed out."""
    form = forms.ChangePasswordForm()
    if not form.validate_on_submit():
        return _profile_page(forms.ProfileForm(formdata=None, obj=current_user), form), 422
    user_id = check_password(current_user.email, form.current_password.data, address=_address())
    if user_id is None or user_id != current_user.id:
        form.current_password.errors = ["That is not your current password."]
        return _profile_page(forms.ProfileForm(formdata=None, obj=current_user), form), 422
    _set_own_password(user_id, form.password.data)
    enter(user_id)
    flash("Your password is changed. Every other browser is signed out.", "success")
    return go("accounts.profile")


def _set_own_password(user_id: int, password: str) -> None:
    password_hash = passwords.hash_password(password)
    with writing() as session:
        users.set_password(session, session.get_one(User, user_id), password_hash)


def _profile_page(form: forms.ProfileForm, password_form: forms.ChangePasswordForm) -> str:
    return render_template(
        "accounts/profile.html", form=form, password_form=password_form, hint=forms.PASSWORD_HINT
    )


@blueprint.route("/forgot-password", methods=["GET", "POST"])
def forgot() -> ResponseReturnValue:
    """Ask for a link by mail; the answer is the same whether or not there is an account."""
    form = forms.ForgotForm()
    if not form.validate_on_submit():
        return render_template("accounts/forgot.html", form=form), _status(form)
    with writing() as session:
        throttle.reserve(session, kind="reset", account=form.email.data, address=_address())
        resets.send_link(session, form.email.data)
    return render_template("accounts/forgot_sent.html")


@blueprint.route("/reset-password/<token>", methods=["GET", "POST"])
def reset(token: str) -> ResponseReturnValue:
    """Set a new password with the link from the mail."""
    if not resets.is_usable(db.session(), token):
        return render_template("accounts/reset_over.html"), 410
    form = forms.ResetForm()
    if not form.validate_on_submit():
        return render_template("accounts/reset.html", form=form, hint=forms.PASSWORD_HINT), _status(form)
    password_hash = passwords.hash_password(form.password.data)
    with writing() as session:
        user = resets.redeem(session, token, password_hash)
    if user is None:
        return render_template("accounts/reset_over.html"), 410
    flash("Your new password is set. Sign in with it.", "success")
    return go("accounts.sign_in")
