"""What operators do to a launcher and its surroundings, by mistake or by need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.launching import House


def test_log_files_that_cannot_be_written_stop_no_job(house: House) -> None:
    """A full disk, or a log file that belongs to somebody else, costs lines and nothing more."""
    (job,) = house.enqueue("noop", 7)
    (house.folder / "logs" / "background_jobs.log").mkdir(parents=True)

    done = house.flask("work", "--drain")

    assert ("completed", 1) == (house.job(job)["status"], house.job(job)["attempt"])
    assert "background_jobs.log cannot be written (Is a directory); it would say:" in done.stderr
    assert f"Job {job} completed: work.Work@noop" in done.stderr
