"""What a person reads when the site cannot start."""

from __future__ import annotations

from click import ClickException

from app.runner.errors import SettingsError


class StartupError(SettingsError, ClickException):
    """A setting cannot be used; `flask` prints the sentence and ends with exit code 2."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        """Keep the sentence where click looks for it."""
        ClickException.__init__(self, message)
