"""`flask jobs check`: what is in force and where it comes from, and what is wrong, as sentences."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import click
from flask import current_app
from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from app.runner import binding, groups, processes, queries
from app.runner.cli.group import Refused, as_json, jobs_cli, print_json, print_table
from app.runner.errors import ValidationError
from app.runner.models import metadata
from app.runner.registry import NotApproved
from app.runner.settings import Settings
from app.runner.validator import Request, validate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.runner.binding import Binding

_SHOWN: Final = 100


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    what: str


@jobs_cli.command()
@as_json
def check(is_json: bool) -> None:
    """Show every setting and where it comes from, and what is wrong; exit code 1 if anything is."""
    bound = binding.current()
    settings, findings = list(_settings(bound.settings)), list(_findings(bound))
    if is_json:
        found = [{"ok": each.ok, "what": each.what} for each in findings]
        print_json({"settings": settings, "findings": found})
    else:
        print_table(
            ("setting", "value", "from"), [(each["name"], each["value"], each["from"]) for each in settings]
        )
        click.echo()
        for each in findings:
            click.echo(f"{'ok     ' if each.ok else 'PROBLEM'} {each.what}")
    if not all(each.ok for each in findings):
        raise Refused("something is wrong, see above")


def _settings(settings: Settings) -> Iterator[dict[str, str]]:
    for each in fields(Settings):
        name = f"RUNNER_{each.name.upper()}"
        yield {"name": name, "value": _shown(getattr(settings, each.name)), "from": _source(name)}


def _source(name: str) -> str:
    if f"FLASK_{name}" in os.environ:
        return f"environment, FLASK_{name}"
    return "config" if current_app.config.get(name) is not None else "default"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(
            f"{name}: {each}" if _is_number(each) else str(name) for name, each in value.items()
        )
    if isinstance(value, str) and "://" in value:
        value = _without_password(value)
    return queries.cut(queries.visible(str(value)), _SHOWN)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(cannot be read)"


def _findings(bound: Binding) -> Iterator[Finding]:
    yield Finding(ok=True, what=f"Python {sys.version.split()[0]}, machine {processes.host()}")
    yield Finding(ok=True, what=_how_processes_are_found())
    yield from _folders(bound.settings)
    yield from _handlers(bound)
    yield from _schedules(bound)
    yield from _database(bound)


def _how_processes_are_found() -> str:
    if groups.is_usable():
        return f"processes of jobs are found by control groups, made below {groups.own_folder()}"
    return (
        "processes of jobs are found by their parents and a mark in their environment:"
        " this account can make no control groups (version 2) here"
    )


def _folders(settings: Settings) -> Iterator[Finding]:
    for name, folder in (("RUNNER_LOG_DIR", settings.log_dir), ("RUNNER_WAKE_DIR", settings.wake_dir)):
        problem = _problem_of(folder)
        said = f"{name}: {folder} {problem}" if problem else f"{name}: {folder} can be written"
        yield Finding(ok=problem is None, what=said)


def _problem_of(folder: Path) -> str | None:
    if not folder.is_dir():
        return "is no folder; make it, or name another"
    return None if os.access(folder, os.W_OK | os.X_OK) else "cannot be written by this account"


def _handlers(bound: Binding) -> Iterator[Finding]:
    for class_name, approval in bound.settings.approved.items():
        for method in approval.methods:
            handler = f"handler {class_name}@{method}"
            try:
                bound.registry.load(bound.registry.find(class_name, method))
            except NotApproved as error:
                yield Finding(ok=False, what=f"{handler}: {error}")
            else:
                yield Finding(ok=True, what=handler)


def _schedules(bound: Binding) -> Iterator[Finding]:
    for name, each in bound.settings.schedules.items():
        request = Request(
            class_name=each.class_name, method=each.method, parameters=each.parameters, unknown={}
        )
        try:
            validate(request, bound.registry, bound.settings)
        except ValidationError as error:
            yield Finding(ok=False, what=f"schedule {name}: {error}")
        else:
            yield Finding(ok=True, what=f"schedule {name}")


def _database(bound: Binding) -> Iterator[Finding]:
    url = bound.engine.url.render_as_string(hide_password=True)
    try:
        tables = set(inspect(bound.engine).get_table_names())
        missing = sorted(each for each in metadata.tables if each.startswith("background_job"))
        missing = [each for each in missing if each not in tables]
        if missing:
            yield Finding(ok=False, what=f"database {url} has no table {missing[0]}: run `flask db upgrade`")
            return
        yield Finding(ok=True, what=f"database {url}")
        yield from _life(bound)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        yield Finding(ok=False, what=f"database {url} does not answer: {reason}")


def _life(bound: Binding) -> Iterator[Finding]:
    with bound.read() as session:
        alive = queries.launchers_alive(session, dt.datetime.now(dt.UTC))
        paused = queries.paused_classes(session)
    for each in paused:
        what = "everything" if each.name == "*" else f"class {each.name}"
        yield Finding(ok=True, what=f"{what} is paused, by {queries.visible(each.paused_by or '')}")
    if alive:
        said = f"{alive} live launcher{'s' if alive > 1 else ''}"
    elif bound.settings.autostart:
        said = "no live launcher: the next job starts one"
    else:
        said = "no live launcher: start `flask jobs work`"
    yield Finding(ok=bool(alive) or bound.settings.autostart, what=said)
