"""The demo plan: enough work, all of it different, every draft a real one."""

from __future__ import annotations

import datetime as dt

import pytest

from app.academic.demo.plan import read_plan
from app.academic.grading.formats import load_assignment
from app.academic.uploads import check_upload

NOW = dt.datetime(2026, 3, 5, 0, 0, 30, tzinfo=dt.UTC)


def test_the_faculty_is_as_promised() -> None:
    """Three courses, five or more assignments, staff, 25 students, some 100 submissions."""
    plan = read_plan(NOW)
    assert ["CS 2401", "MATH 1302", "CS 3303"] == [course.code for course in plan.courses]
    assert 5 <= sum(len(course.assignments) for course in plan.courses)
    assert 25 == sum(person.role == "student" for person in plan.people)
    assert 90 <= len(plan.hand_ins) <= 125


def test_no_two_submissions_are_the_same() -> None:
    """Every submission differs from all others, drafts from their final versions too."""
    contents = [it.content for it in read_plan(NOW).hand_ins]
    assert len(contents) == len(set(contents))


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_nothing_is_handed_in_ahead_of_time(hour: int) -> None:
    """At whatever hour the data is made, what was handed in lies in the past, in order."""
    now = NOW.replace(hour=hour)
    moments = [it.handed_in_at for it in read_plan(now).hand_ins]
    assert max(moments) <= now
    assert sorted(moments) == moments


def test_everybody_takes_what_they_hand_in() -> None:
    """A student of the plan is enrolled in the course of the assignment."""
    plan = read_plan(NOW)
    takers = {it.folder: course.students for course in plan.courses for it in course.assignments}
    assert [] == [it for it in plan.hand_ins if it.student not in takers[it.folder]]


def test_every_folder_is_an_assignment() -> None:
    """The demo's folders load like an instructor's own, and take the demo's files."""
    plan = read_plan(NOW)
    specs = {it.folder: load_assignment(it.path) for course in plan.courses for it in course.assignments}
    for it in plan.hand_ins:
        submit = specs[it.folder].submit
        assert (
            it.content
            == check_upload(
                submit.files[0], it.content, max_bytes=submit.max_bytes, expected=submit.files[0]
            ).content
        )
