"""The site's own log files: one line per event, in the form the runner's files have.

    [2024-11-12 17:31:26] local.INFO: Assignment graded {"assignment":1,"score":48}
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Final, Literal

from flask import current_app

Level = Literal["INFO", "ERROR"]

ASSIGNMENTS: Final = "assignment_processing.log"
ANALYTICS: Final = "analytics.log"
PLAGIARISM: Final = "plagiarism.log"


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
    return Path(str(given)) if given else Path(current_app.root_path).parent / "logs"


def _line(at: dt.datetime, level: Level, message: str, facts: dict[str, object]) -> bytes:
    # JSON escapes the C0 controls; what other programs take for a line end is escaped here.
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), default=str)
    line = f"[{at:%Y-%m-%d %H:%M:%S}] local.{level}: {_visible(message)} {_visible(text)}\n"
    return line.encode("utf-8", "backslashreplace")


def _visible(text: str) -> str:
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    is_hostile = code < 0x20 or 0x7F <= code < 0xA0 or 0x200E <= code <= 0x200F or 0x2028 <= code <= 0x202E
    return f"\\u{code:04x}" if is_hostile or 0x2066 <= code <= 0x2069 else character
