"""The group of commands, how their input is read, and how they answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click
from flask.cli import AppGroup, ScriptInfo
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.runner import binding
from app.runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from click import Context, Parameter
    from flask import Flask


class BadInput(click.ClickException):
    """What was given cannot be used: one sentence, exit code 2."""

    exit_code = 2


class Refused(click.ClickException):
    """What was asked cannot be done now: one sentence, exit code 1."""

    exit_code = 1


class OneLineGroup(AppGroup):
    """Says what is wrong in one line, where click would print its usage too."""

    def invoke(self, ctx: Context) -> Any:
        """Run the command; errors of usage and of the runner become one line each."""
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise BadInput(" ".join(error.format_message().split())) from error
        except RunnerError as error:
            raise Refused(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise Refused(f"the database cannot be used: {' '.join(str(error.orig).split())}") from error


jobs_cli = OneLineGroup("jobs", help="Run, watch and change background jobs.")


class WholeNumber(click.ParamType[int]):
    """A whole number in plain digits: what int() takes beyond that is no number here."""

    name = "number"

    def __init__(self, what: str, least: int, most: int) -> None:
        self.what, self.least, self.most = what, least, most

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> int:
        """Read it, or raise `BadInput` naming it."""
        del param, ctx
        if isinstance(value, int):
            return value
        if re.fullmatch(r"[0-9]{1,18}", value, re.ASCII) and self.least <= int(value) <= self.most:
            return int(value)
        raise BadInput(
            f"{self.what} must be a whole number from {self.least} to {self.most}, not {ascii(value)[:80]}"
        )


class Seconds(click.ParamType[float]):
    """A number of seconds, such as 90 or 0.5."""

    name = "seconds"

    def __init__(self, what: str) -> None:
        self.what = what

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        """Read it, or raise `BadInput` naming it."""
        del param, ctx
        if isinstance(value, (int, float)):
            return float(value)
        if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,6})?", value, re.ASCII):
            return float(value)
        raise BadInput(f"{self.what} must be a number of seconds such as 90 or 0.5, not {ascii(value)[:80]}")


PIPED_WIDTH = 200

JOB_ID = WholeNumber("the job id", 1, 10**18 - 1)
PRIORITY = WholeNumber("priority", 1, 3)

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")


def application_path() -> str:
    """How job processes find this command's application: as was configured, or as it was found here.

    Empty if `flask` found it by itself, in wsgi.py or app.py.
    """
    info = click.get_current_context().find_object(ScriptInfo)
    named = binding.current().settings.application or (info.app_import_path if info else None)
    if named or info is None or info.create_app is None:
        return named or ""
    return _path_of(info.create_app)


def _path_of(create_app: Callable[..., Flask]) -> str:
    """Name the function that a command line of the host's own makes its application with."""
    module, name = create_app.__module__, getattr(create_app, "__qualname__", "")
    if module == "__main__":
        module = getattr(sys.modules[module], "__file__", None) or ""
    if not module or not name.isidentifier():
        raise Refused("set RUNNER_APPLICATION, so that job processes find the application")
    return f"{module}:{name}"


def print_json(value: Any) -> None:
    """Print data for programs, times as ISO 8601."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people; control characters have been made visible before."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    # A pipe or a file has no width of its own: lines are for grep there.
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def moment(at: dt.datetime | None) -> str:
    """Write a time for people."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
