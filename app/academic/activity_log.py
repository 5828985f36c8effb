"""The site's own log files: one line per event, in the form the runner's files have.

[2024-11-12 17:31:26] local.INFO: Assignment graded {"assignment":1,"score":48}
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path
from typing import Final, Literal

from flask import current_app

Level = Literal["INFO", "ERROR"]

ASSIGNMENTS: Final = "assignment_processing.log"
ANALYTICS: Final = "analytics.log"
PLAGIARISM: Final = "plagiarism.log"

# What a terminal or a reader of lines could be misled by: C0, C1, separators, bidi controls.
_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def write_event(file_name: str, message: str, facts: dict[str, object], *, level: Level = "INFO") -> None:
    """Append one event; many processes may do so at once, since a line is a single write."""
    path = _folder() / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, _line(dt.datetime.now(dt.UTC), level, message, facts))
    finally:
        os.close(descriptor)


def _folder() -> Path:
    given = current_app.config.get("RUNNER_LOG_DIR")
    # As the runner has it: beside the instance folder, wherever a command is given.
    beside = Path(current_app.instance_path).parent
    return beside / str(given) if given else Path(current_app.root_path).parent / "logs"


def _line(at: dt.datetime, level: Level, message: str, facts: dict[str, object]) -> bytes:
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), default=str)
    line = f"[{at:%Y-%m-%d %H:%M:%S}] local.{level}: {message} {text}"
    return f"{_CONTROL.sub(_escape, line)}\n".encode()


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
