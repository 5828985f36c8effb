"""What operators do to a launcher and its surroundings, by mistake or by need."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

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


MANAGE = """
import click
from flask.cli import FlaskGroup


def make():
    from house import application

    return application


@click.group(cls=FlaskGroup, create_app=make)
def manage(): ...


if __name__ == "__main__":
    manage()
"""
NEEDY = """
import flask


class Work:
    def noop(self):
        return flask.current_app.name
"""


@pytest.mark.parametrize("way", ["own command line", "setting"])
def test_job_processes_find_the_application_however_it_is_started(house: House, way: str) -> None:
    """A host's own command line names no path, as `flask --app` would; its jobs run all the same."""
    (house.folder / "manage.py").write_text(MANAGE, encoding="utf-8")
    (house.folder / "work.py").write_text(NEEDY, encoding="utf-8")
    # What would be found by itself is another application.
    (house.folder / "wsgi.py").write_text("raise RuntimeError('not this one')", encoding="utf-8")
    if way == "setting":
        house.environment |= {"FLASK_RUNNER_APPLICATION": "house"}
    (job,) = house.enqueue("noop", retries=0)
    del house.environment["FLASK_APP"]

    house.python("manage.py", "jobs", "work", "--drain")

    assert ("completed", '"house"') == (house.job(job)["status"], house.job(job)["result"])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_jobs_give_way_as_far_as_they_are_told(house: House, method: str) -> None:
    """`RUNNER_NICE` is how nice a job's process is beyond its launcher; without it they are alike."""
    mine = os.nice(0)
    house.environment["FLASK_RUNNER_START_METHOD"] = method
    for given in (0, 3):
        house.environment["FLASK_RUNNER_NICE"] = str(given)
        [job] = house.enqueue("niceness")
        house.flask("work", "--drain")
        assert str(mine + given) == house.job(job)["result"]
