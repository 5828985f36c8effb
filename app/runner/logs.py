"""The runner's log files: one line per event, appended whole, safe with many writers."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

JOBS: Final = "background_jobs.log"
ERRORS: Final = "background_jobs_errors.log"

# Everything a terminal or a reader of lines could be misled by: C0, C1, separators, bidi controls.
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def line(level: str, message: str, context: Mapping[str, Any], *, at: dt.datetime | None = None) -> str:
    """Give one line: time (UTC), level, message, and the context as JSON."""
    text = json.dumps(context, ensure_ascii=False, separators=(",", ":"), default=str)
    return line_of(level, f"{message} {text}", at=at or dt.datetime.now(dt.UTC))


def line_of(level: str, text: str, *, at: dt.datetime) -> str:
    """Give one line whose context is JSON already."""
    return _CONTROL.sub(_escape, f"[{_second(at)}] local.{level}: {text}") + "\n"


@lru_cache(maxsize=8)
def _second(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def append(path: Path, lines: Iterable[str]) -> None:
    """Append whole lines in one write, which no other writer's can come between."""
    data = "".join(lines).encode()
    if not data:
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def attempt_log_path(log_dir: Path, job_id: int, number: int) -> Path:
    """Where the output of an attempt is kept; a folder per thousand jobs keeps folders readable."""
    return log_dir / "jobs" / f"{job_id // 1000:06d}" / f"{job_id}.{number}.log"


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
