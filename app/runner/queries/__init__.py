"""Reads for people: the command line and the dashboard ask here, and nothing here writes.

Every function takes a session and, where the answer depends on it, the present time.
"""

from __future__ import annotations

from app.runner.queries.details import get_job, outcome_words
from app.runner.queries.lists import (
    PAGE_SIZE,
    SEARCH_WINDOW,
    classes,
    counts,
    launchers,
    launchers_alive,
    list_failures,
    list_jobs,
    overview,
)
from app.runner.queries.pauses import ClassView, job_classes, paused_classes
from app.runner.queries.planned import ScheduleView, schedules
from app.runner.queries.views import (
    AttemptView,
    Cursor,
    Failure,
    FailurePage,
    Filters,
    JobDetail,
    JobPage,
    JobRow,
    LauncherView,
    Moment,
    Overview,
)
from app.runner.queries.words import (
    COUNT_CAP,
    LAUNCHER_SILENT_SECONDS,
    STATES,
    count,
    cut,
    derive_state,
    duration,
    explain_waiting,
    readable_parameters,
    signal_name,
    verbs_for,
    visible,
)

__all__ = [
    "COUNT_CAP",
    "LAUNCHER_SILENT_SECONDS",
    "PAGE_SIZE",
    "SEARCH_WINDOW",
    "STATES",
    "AttemptView",
    "ClassView",
    "Cursor",
    "Failure",
    "FailurePage",
    "Filters",
    "JobDetail",
    "JobPage",
    "JobRow",
    "LauncherView",
    "Moment",
    "Overview",
    "ScheduleView",
    "classes",
    "count",
    "counts",
    "cut",
    "derive_state",
    "duration",
    "explain_waiting",
    "get_job",
    "job_classes",
    "launchers",
    "launchers_alive",
    "list_failures",
    "list_jobs",
    "outcome_words",
    "overview",
    "paused_classes",
    "readable_parameters",
    "schedules",
    "signal_name",
    "verbs_for",
    "visible",
]
