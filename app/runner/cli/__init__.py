"""The commands `flask jobs ...`; each has --help, and exit code 0 only on success."""

from app.runner.cli import acting, cases, checking, looking, pausing, schedules, working  # noqa: F401 - they add themselves to the group
from app.runner.cli.group import jobs_cli

__all__ = ["jobs_cli"]
