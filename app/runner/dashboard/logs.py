"""The output of an attempt: its end on the page, live while it runs, all of it for download."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Response, abort, request, send_file

from app.runner import binding, queries
from app.runner import logs as files
from app.runner.dashboard import parameters
from app.runner.dashboard.web import answer, blueprint, now, parse_job_id

if TYPE_CHECKING:
    from pathlib import Path

# Shown without being asked for: enough to see what happens, little enough to poll.
TAIL_BYTES: Final = 64 * 1024
# Shown on request: more than that is for an editor, not for a page.
PAGE_BYTES: Final = 2 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class LogView:
    """The end of what an attempt wrote."""

    job_id: int
    number: int
    text: str
    size: int
    is_cut: bool
    is_running: bool
    can_show_all: bool


@blueprint.get("/<job_id>/logs")
def logs(job_id: str) -> Response:
    """Show what an attempt wrote, by default the latest; `?attempt=n`, `?all=1`, `?download=1`."""
    given = parameters.read(request.args, ("attempt", "all", "download"))
    wanted, is_all = parameters.number_of("attempt", given), parameters.flag_of("all", given)
    is_download = parameters.flag_of("download", given)
    with binding.current().read() as session:
        detail = queries.get_job(session, parse_job_id(job_id), now())
    attempt = _attempt(detail, wanted)
    if is_download:
        return _download(detail.row.id, attempt.number if attempt else 0)
    log = read_log(detail.row.id, attempt, limit=PAGE_BYTES if is_all else TAIL_BYTES) if attempt else None
    return answer(
        "runner/logs.html", "runner/_job_log.html", job=detail, row=detail.row, log=log, is_all=is_all
    )


def _attempt(detail: queries.JobDetail, wanted: int | None) -> queries.AttemptView | None:
    if wanted is None:
        return detail.last_attempt
    found = [attempt for attempt in detail.attempts if attempt.number == wanted]
    if not found:
        abort(404)
    return found[0]


def latest_log(detail: queries.JobDetail) -> LogView | None:
    """Read the end of what the latest attempt wrote; None when there never was one."""
    return read_log(detail.row.id, detail.last_attempt) if detail.last_attempt else None


def read_log(job_id: int, attempt: queries.AttemptView, *, limit: int = TAIL_BYTES) -> LogView:
    """Read at most `limit` bytes from the end of an attempt's output, from the start of a line."""
    data, size = _tail(_path(job_id, attempt.number), limit)
    text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return LogView(
        job_id=job_id,
        number=attempt.number,
        text=queries.visible(text),
        size=size,
        is_cut=size > len(data),
        is_running=attempt.is_running,
        can_show_all=len(data) < size <= PAGE_BYTES,
    )


def _path(job_id: int, number: int) -> Path:
    return files.attempt_log_path(binding.current().settings.log_dir, job_id, number)


def _tail(path: Path, limit: int) -> tuple[bytes, int]:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(max(size - limit, 0))
            data = stream.read(limit)
    except FileNotFoundError:
        return b"", 0
    if size > limit and b"\n" in data:
        data = data.partition(b"\n")[2]
    return data, size


def _download(job_id: int, number: int) -> Response:
    """Send the bytes as they are; the browser must neither render them nor guess what they are."""
    path = _path(job_id, number)
    source: Path | io.BytesIO = path.resolve() if path.is_file() else io.BytesIO()
    name = f"job-{job_id}-attempt-{number}.log"
    response = send_file(source, mimetype="text/plain", as_attachment=True, download_name=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.cache_control.no_store = True
    return response
