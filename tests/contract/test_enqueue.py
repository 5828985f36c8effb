"""The laws of enqueueing: in the caller's transaction, once for a key, and refused whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.runner import store, wake
from app.runner.api import run_background_job
from app.runner.errors import ValidationError
from app.runner.models import Job
from tests.runner_house import STATES, WORK, Bench, Work, now

if TYPE_CHECKING:
    from pathlib import Path

UNFINISHED = ("pending", "scheduled", "held", "retrying", "running", "cancelling")


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> list[int]:
    """Note at each wake how many jobs a launcher that wakes up would find."""
    found: list[int] = []

    def note(directory: Path) -> None:
        assert bench.settings.wake_dir == directory
        found.append(sum(table == Job.__tablename__ for table, _ in bench.snapshot()))

    monkeypatch.setattr(wake, "send", note)
    return found


def test_a_job_is_stored_as_it_was_asked_for(bench: Bench) -> None:
    """What the caller gave stands in the row, with the defaults of what was left out."""
    begun = now()

    job = bench.job(bench.enqueue(parameters={"text": "a"}, priority=1, delay=30, retries=2, timeout=9))

    assert ("pending", WORK, "handle", '{"text": "a"}') == (
        job.status,
        job.class_name,
        job.method,
        job.parameters,
    )
    assert (1, 4, 0, 9.0, "ada") == (
        job.priority,
        job.max_attempts,
        job.attempt,
        job.timeout_seconds,
        job.created_by,
    )
    assert begun <= job.created_at <= now()
    assert 30 == (job.run_at - job.created_at).total_seconds()


def test_the_class_itself_names_a_handler(bench: Bench) -> None:
    """A caller who has the class at hand need not write its dotted name."""
    with bench.write() as session:
        job = run_background_job(Work, "handle", session=session)

    assert WORK == bench.job(job.id).class_name


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, "[]"),
        ([], "[]"),
        (("a", 2), '["a", 2]'),
        ({"n": 2}, '{"n": 2}'),
        ('{"n": 2}', '{"n": 2}'),
        (["ünï"], '["ünï"]'),
    ],
)
def test_parameters_are_stored_as_json(bench: Bench, given: Any, stored: str) -> None:
    """A list, a tuple, an object, or the JSON text of one comes to the same row."""
    assert stored == bench.job(bench.enqueue(parameters=given)).parameters


def test_a_commit_makes_it_run(bench: Bench) -> None:
    """A job is nobody's to claim before its caller's transaction commits, and is after."""
    with bench.read() as session:
        session.begin()
        job = run_background_job(WORK, "handle", session=session)
        number = job.id
        before = bench.snapshot()
        session.commit()

    assert {} == before
    assert [number] == [each.job_id for each in bench.claim()]


def test_a_rollback_leaves_nothing(bench: Bench, wakes: list[int]) -> None:
    """A job whose transaction rolls back never was: no row, no event, nobody woken."""
    with bench.read() as session:
        run_background_job(WORK, "handle", session=session)
        run_background_job(WORK, "handle", session=session, unique_key="report")
        session.rollback()

    assert {} == bench.snapshot()
    assert [] == wakes


@pytest.mark.parametrize("key", [None, "report"])
def test_launchers_are_woken_after_the_commit(bench: Bench, wakes: list[int], key: str | None) -> None:
    """Whoever wakes up finds the job: the wake is sent once the transaction is over, not at a savepoint."""
    with bench.read() as session:
        run_background_job(WORK, "handle", session=session, unique_key=key)
        run_background_job(WORK, "handle", session=session)
        before = list(wakes)
        session.commit()

    assert [] == before
    assert [2] == wakes


def test_without_a_session_the_job_is_committed_at_once(bench: Bench, wakes: list[int]) -> None:
    """Where there is no transaction to join, the call has one of its own."""
    job = run_background_job(WORK, "handle")

    assert "pending" == bench.job(job.id).status
    assert [1] == wakes


def test_a_refused_job_leaves_the_transaction_usable(bench: Bench) -> None:
    """A validation error stores nothing itself, and what the caller had written can still be committed."""
    with bench.write() as session:
        job = run_background_job(WORK, "handle", session=session)
        with pytest.raises(ValidationError):
            run_background_job(WORK, "nothing", session=session)

    assert [job.id] == [key for _, key in bench.snapshot()]


def test_every_problem_is_listed_at_once(bench: Bench) -> None:
    """Whoever got several things wrong learns of all of them."""
    with pytest.raises(ValidationError) as refused:
        run_background_job(
            WORK,
            "nothing",
            [float("nan")],
            priority=9,
            delay=-1,
            retries=-1,
            timeout=0,
            unique_key="",
            id=7,  # type: ignore[arg-type]
        )

    fields = [problem.field for problem in refused.value.problems]
    assert ["id", "method", "parameters", "priority", "delay", "retries", "timeout", "unique_key"] == fields
    assert all(f"{field}: " in str(refused.value) for field in fields)
    assert {} == bench.snapshot()


@pytest.mark.parametrize("state", STATES)
def test_a_unique_key_is_held_until_its_job_is_finished(bench: Bench, state: str) -> None:
    """While a job with the key is unfinished it is given instead of a new one, and unchanged."""
    first = bench.job_in(state, unique_key="report")
    before = bench.snapshot()

    second = bench.enqueue(unique_key="report", priority=1)

    assert (state in UNFINISHED) == (first == second)
    assert (state in UNFINISHED) == (before == bench.snapshot())


def test_jobs_without_a_key_are_never_the_same(bench: Bench) -> None:
    """No key means no uniqueness, however alike the jobs are."""
    assert bench.enqueue() != bench.enqueue()


def test_other_keys_are_other_jobs(bench: Bench) -> None:
    """A key keeps off its equals only."""
    assert bench.enqueue(unique_key="a") != bench.enqueue(unique_key="b")


def test_a_key_can_be_asked_for_twice_in_one_transaction(bench: Bench) -> None:
    """The second asker in a transaction gets the job of the first."""
    with bench.write() as session:
        first = run_background_job(WORK, "handle", session=session, unique_key="report")
        second = run_background_job(WORK, "handle", session=session, unique_key="report")

    assert first.id == second.id


def test_a_key_taken_in_between_gives_its_holder(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that look for the key at once both get the one job: the database decides, and nobody fails."""
    rival = bench.enqueue(unique_key="report")
    looks: list[Any] = []

    with bench.write() as session:
        look = session.scalar

        def look_too_early(*arguments: Any, **options: Any) -> Any:
            looks.append(arguments)
            return None if len(looks) == 1 else look(*arguments, **options)

        monkeypatch.setattr(session, "scalar", look_too_early)
        job = run_background_job(WORK, "handle", session=session, unique_key="report")

    assert (2, rival) == (len(looks), job.id)
    assert 1 == len(bench.snapshot())


def test_secrets_are_stored_for_the_job_and_hidden_from_people(bench: Bench) -> None:
    """The handler gets its password; what is shown of its parameters has none."""
    with bench.write() as session:
        by_name = {"name": "ada", "password": "hunter2"}
        named = run_background_job(WORK, "sign_in", by_name, session=session)
        listed = run_background_job(WORK, "sign_in", ["ada", "hunter2"], session=session)

    claimed = {each.job_id: each for each in bench.claim()}
    assert '{"name": "ada", "password": "***"}' == claimed[named.id].shown_parameters
    assert '["ada", "***"]' == claimed[listed.id].shown_parameters
    assert all("hunter2" in each.parameters for each in claimed.values())


def test_a_key_is_free_again_after_a_cancel(bench: Bench) -> None:
    """A waiting job that is cancelled makes room for the next with its key."""
    first = bench.enqueue(unique_key="report")
    with bench.write() as session:
        store.cancel(session, first, actor="ada")

    assert first != bench.enqueue(unique_key="report")


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("priority", 1, True),
        ("priority", 1, 1.0),
        ("delay", 0, False),
        ("retries", 1, 1.0),
        ("timeout", 1, True),
    ],
)
def test_what_was_valid_before_vouches_for_nothing_else(
    bench: Bench, option: str, good: Any, bad: Any
) -> None:
    """A job is not taken for one like it because Python finds two values equal, or its options are known."""
    bench.enqueue(**{option: good})
    before = bench.snapshot()

    with pytest.raises(ValidationError, match=f"^{option}: "):
        run_background_job(WORK, "handle", **{option: bad})
    with pytest.raises(ValidationError, match=r"^parameters: text must be str"):
        run_background_job(WORK, "handle", [1], **{option: good})
    assert before == bench.snapshot()


def test_jobs_with_the_same_options_keep_their_own_parameters(bench: Bench) -> None:
    """Only what they have in common is looked up once: each has its parameters, and its secrets hidden."""
    with bench.write() as session:
        jobs = [run_background_job(WORK, "sign_in", ["ada", text], session=session) for text in "ab"]

    stored = [bench.job(job.id) for job in jobs]
    assert ['["ada", "a"]', '["ada", "b"]'] == [each.parameters for each in stored]
    assert ['["ada", "***"]'] * 2 == [each.shown_parameters for each in stored]


def test_a_handler_that_has_gone_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it could be enqueued before does not make a method of what is none any more."""
    bench.enqueue()
    monkeypatch.delattr(Work, "handle")

    with pytest.raises(ValidationError, match=r"^method: .* has no method handle of its own"):
        run_background_job(WORK, "handle")
