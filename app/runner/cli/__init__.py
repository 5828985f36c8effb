"""The commands `flask jobs ...`; each has --help, and exit code 0 only on success."""

from app.runner.cli.group import jobs_cli
from app.runner.cli import acting, cases, looking, working  # noqa: F401, I001 - they add themselves to the group

__all__ = ["jobs_cli"]
