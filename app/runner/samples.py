"""Jobs that do nothing useful, approved in every application: `flask jobs run-test-jobs` runs them."""

from __future__ import annotations

from app.runner.errors import Retry
from app.runner.exec import current_job


class SampleJob:
    """Shows what the runner does with jobs, and needs nothing."""

    def plain(self, text: str = "hello") -> dict[str, str]:
        """Print a text and give it back."""
        print(text)  # noqa: T201 - shows up in the attempt's log
        return {"text": text}

    def fail_once(self) -> dict[str, int]:
        """Fail in the first attempt, succeed in the next."""
        if current_job.attempt == 1:
            raise Retry("fails the first time, on purpose", delay=1)
        return {"attempt": current_job.attempt}
