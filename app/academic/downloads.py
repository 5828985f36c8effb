"""Files that people wrote, sent so that no browser takes them for anything but text to keep."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import TYPE_CHECKING, Any

from flask import send_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask import Response

_POLICY = "sandbox; default-src 'none'"
# A cell that begins so is a formula to spreadsheets.
_FORMULA = frozenset("=+-@\t\r\x00")


def text_download(name: str, content: bytes) -> Response:
    """A file as it was sent, to be saved under its name."""
    return _attachment(name, content, "text/plain")


def csv_download(name: str, rows: Iterable[Sequence[Any]]) -> Response:
    """A table for spreadsheets, in which no cell is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([safe_cell(value) for value in row] for row in rows)
    return _attachment(name, text.getvalue().encode(), "text/csv")


def safe_cell(value: object) -> object:
    """A value as a cell that no spreadsheet computes."""
    if not isinstance(value, str) or not value:
        return "" if value is None else value
    first = unicodedata.normalize("NFKC", value)[:1]
    return f"'{value}" if first in _FORMULA else value


def _attachment(name: str, content: bytes, kind: str) -> Response:
    response = send_file(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=name)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
