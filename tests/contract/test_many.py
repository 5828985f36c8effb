"""The laws of enqueueing many at once: as one by one, in order, and all of them or none."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import DBAPIError

from app.runner import run_background_batch, run_background_job, run_background_jobs, store, wake
from app.runner.errors import ValidationError
from app.runner.models import Dependency, Event, Job
from app.runner.store import many
from app.runner.validator import MAX_SHOWN
from tests.runner_house import WORK, Bench

if TYPE_CHECKING:
    from pathlib import Path

DIFFERENT = {"id", "created_at", "run_at", "rank", "finished_at"}
TEXTS = ["", "plain", 'quo"ted \\ {}[]', "ünï ☃ 𝄞", "new\nline\t", "'; --", "%s :items ?", "null"]


def rows(bench: Bench) -> list[dict[str, Any]]:
    """Give the jobs in the order of their numbers."""
    return [row for (table, _), row in bench.snapshot().items() if table == Job.__tablename__]


def alike(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row without what differs between any two jobs."""
    return {name: value for name, value in row.items() if name not in DIFFERENT}


@pytest.mark.parametrize(
    "options",
    [{}, {"priority": 1, "delay": 30, "retries": 2, "timeout": 9.5}, {"priority": 3, "retries": 0}],
    ids=["defaults", "high", "low"],
)
def test_many_at_once_are_what_they_are_one_by_one(bench: Bench, options: dict[str, Any]) -> None:
    """Every column is as in the single call: retries, priority, rank, times, secrets, who it was."""
    given: list[Any] = [["ada", text] for text in TEXTS] + [{"name": "bob", "password": "p"}, '["eve", "x"]']

    many_ids = run_background_jobs(WORK, "sign_in", given, **options)
    ones = [run_background_job(WORK, "sign_in", each, **options).id for each in given]

    stored = {row["id"]: row for row in rows(bench)}
    assert [alike(stored[one]) for one in ones] == [alike(stored[each]) for each in many_ids]
    assert {'["ada", "***"]', '{"name": "bob", "password": "***"}', '["eve", "***"]'} == {
        stored[each]["shown_parameters"] for each in many_ids
    }
    first, last = stored[many_ids[0]], stored[ones[0]]
    assert last["rank"] - first["rank"] == (last["run_at"] - first["run_at"]) // dt.timedelta(microseconds=1)
    assert options.get("delay", 0) == (first["run_at"] - first["created_at"]).total_seconds()


def test_numbers_come_in_the_order_of_the_parameters(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first number is that of the first parameters, however many statements it takes."""
    monkeypatch.setattr(many, "_ROWS", 7)
    bench.enqueue()

    ids = run_background_jobs(WORK, "handle", ([str(place)] for place in range(50)))

    assert [f'["{place}"]' for place in range(50)] == [bench.job(each).parameters for each in ids]
    assert sorted(ids) == ids


def test_large_parameters_go_in_several_statements(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers refuse statements that are too long: each has so many characters at most, or one job."""
    sizes: list[int] = []
    insert = many._insert

    def note(connection: Any, row: Any, some: Any) -> Any:
        sizes.append(len(some))
        return insert(connection, row, some)

    monkeypatch.setattr(many, "_insert", note)
    monkeypatch.setattr(many, "_CHARACTERS", 100)
    texts = ["x" * length for length in (10, 300, 300, 10, 10, 90, 1)]

    ids = run_background_jobs(WORK, "handle", [[text] for text in texts])

    assert [f'["{text}"]' for text in texts] == [bench.job(each).parameters for each in ids]
    assert [1, 1, 1, 2, 2] == sizes


def test_the_largest_parameters_there_may_be(bench: Bench) -> None:
    """What one job may carry, many may."""
    text = "ü" * 32_000

    ids = run_background_jobs(WORK, "handle", [[text]] * 40)

    assert {f'["{text}"]'} == {bench.job(each).parameters for each in ids}


def test_any_mapping_is_an_object(bench: Bench) -> None:
    """What the single call takes for parameters by name, many take too."""
    given = MappingProxyType({"text": "a"})

    ids = [run_background_job(WORK, "handle", given).id, *run_background_jobs(WORK, "handle", [given])]

    assert ['{"text": "a"}'] * 2 == [bench.job(each).parameters for each in ids]


def test_none_are_none(bench: Bench) -> None:
    """Without parameters there is no job, and no error."""
    assert [] == run_background_jobs(WORK, "handle", [])
    assert {} == bench.snapshot()


def test_a_database_without_a_statement_for_it_stores_them_one_by_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another database than ours, or an old one, is only slower."""
    monkeypatch.setattr(many, "_TAKEN_APART", {})
    monkeypatch.setattr(many, "_can_take_apart", lambda _: False)

    ids = run_background_jobs(WORK, "sign_in", [["ada", "a"], ["bob", "b"]])

    assert ['["ada", "***"]', '["bob", "***"]'] == [bench.job(each).shown_parameters for each in ids]


def test_one_that_is_wrong_keeps_all_out(bench: Bench) -> None:
    """Nothing is stored, and the error names the places of those that cannot be used."""
    with pytest.raises(ValidationError) as refused:
        run_background_jobs(WORK, "handle", [["a"], [1], ["b"], {"m": 2}, "[", [float("nan")]], priority=7)

    fields = [problem.field for problem in refused.value.problems]
    assert ["parameters[1]", "parameters[3]", "parameters[4]", "parameters[5]", "priority"] == fields
    assert "parameters[1]: text must be str, not a whole number" in str(refused.value)
    assert {} == bench.snapshot()


def test_the_list_of_what_is_wrong_has_an_end(bench: Bench) -> None:
    """Of a million bad ones the first are named, and the others counted."""
    with pytest.raises(ValidationError) as refused:
        run_background_jobs(WORK, "handle", [[1]] * (MAX_SHOWN + 5))

    assert MAX_SHOWN + 1 == len(refused.value.problems)
    assert "parameters: 5 more cannot be used either" == str(refused.value.problems[-1])
    assert {} == bench.snapshot()


@pytest.mark.parametrize("given", [None, "[[1]]", {"text": "a"}, 7])
def test_many_need_a_list(bench: Bench, given: Any) -> None:
    """What is no list of parameters is refused, and not taken apart letter by letter."""
    with pytest.raises(ValidationError, match=r"^parameters: must be a list with the parameters of each job"):
        run_background_jobs(WORK, "handle", given)

    assert {} == bench.snapshot()


def test_a_unique_key_is_for_one_job(bench: Bench) -> None:
    """An option that many jobs cannot share is refused by its name."""
    with pytest.raises(ValidationError, match=r"^unique_key: is not an option of many jobs at once$"):
        run_background_jobs(WORK, "handle", [[]], unique_key="a")  # type: ignore[arg-type]

    assert {} == bench.snapshot()


def test_many_are_in_the_callers_transaction(bench: Bench) -> None:
    """They are claimed after its commit, and never were if it rolls back."""
    with bench.read() as session:
        run_background_jobs(WORK, "handle", [[]] * 3, session=session)
        session.rollback()
        ids = run_background_jobs(WORK, "handle", [[]] * 3, session=session)
        before = bench.snapshot()
        session.commit()

    assert {} == before
    assert ids == [each.job_id for each in bench.claim()]


def test_many_wake_launchers_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wakes up finds all of them."""
    found: list[int] = []

    def note(directory: Path) -> None:
        del directory
        found.append(len(rows(bench)))

    monkeypatch.setattr(wake, "send", note)

    run_background_jobs(WORK, "handle", [[]] * 3)

    assert [3] == found


@pytest.mark.parametrize(
    ("state", "policy"), [("pending", "cancel"), ("failed", "cancel"), ("failed", "run")]
)
def test_many_may_wait_for_others(bench: Bench, state: str, policy: str) -> None:
    """Each waits, runs or is cancelled as it would be alone."""
    first = bench.job_in(state)

    ids = run_background_jobs(WORK, "handle", [["a"], ["b"]], after=[first], after_failed=policy)
    one = run_background_job(WORK, "handle", ["a"], after=[first], after_failed=policy)

    expected = alike(alike_row(bench, one.id))
    assert [expected, expected | {"parameters": '["b"]'}] == [alike(alike_row(bench, each)) for each in ids]
    kinds = [table for table, _ in bench.snapshot()]
    assert 3 == kinds.count(Dependency.__tablename__)
    assert kinds.count(Event.__tablename__) == (3 if (state, policy) == ("failed", "cancel") else 0)


def alike_row(bench: Bench, job_id: int) -> dict[str, Any]:
    """Give the row of a job."""
    return bench.snapshot()[Job.__tablename__, job_id]


def test_a_batch_keeps_the_order_of_its_requests(bench: Bench) -> None:
    """Jobs that are alike are stored together, and still the numbers follow the requests."""
    asked: list[dict[str, Any]] = [
        {"cls": WORK, "method": "handle", "parameters": ["a"]},
        {"cls": WORK, "method": "handle", "parameters": ["b"]},
        {"cls": WORK, "method": "sign_in", "parameters": ["c", "secret"]},
        {"cls": WORK, "method": "handle", "parameters": ["d"], "unique_key": "d"},
        {"cls": WORK, "method": "handle", "parameters": ["e"], "priority": 1},
    ]

    with bench.write() as session:
        batch = run_background_batch(asked, callback={"cls": WORK, "method": "handle"}, session=session)
        assert all(session.get(Job, job.id) is job for job in batch.jobs)

    ids = [job.id for job in batch.jobs]
    assert sorted(ids) == ids
    assert ["a", "b", "c", "d", "e"] == [bench.job(each).parameters[2] for each in ids]
    assert '["c", "***"]' == batch.jobs[2].shown_parameters
    assert 5 == bench.job(batch.callback.id).waits_for


def test_what_the_database_refuses_is_no_job(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that breaks a rule of the table stores none of the others, and says so as SQLAlchemy does."""
    made = store.rows.row_of

    def nonsense(*arguments: Any) -> dict[str, Any]:
        return made(*arguments) | {"priority": 9}

    monkeypatch.setattr(store.rows, "row_of", nonsense)

    with pytest.raises(DBAPIError):
        run_background_job(WORK, "handle")
    with pytest.raises(DBAPIError):
        run_background_jobs(WORK, "handle", [[], []])
    assert {} == bench.snapshot()
