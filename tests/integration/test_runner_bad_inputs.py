"""Bad input is refused the same on every way in: named, in one line, nothing stored, nothing touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from app.runner import ValidationError, binding, run_background_job
from app.runner.models import Job
from tests.runner_house import TABLES, host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result
    from flask import Flask

TOP = Path(__file__).parents[2]
DATA = TOP / "tests" / "data"
CASES = json.loads((DATA / "bad_inputs.json").read_text())
APPROVED = {
    "hostile_target.Target": ["run", "no_arguments", "takes_anything", "with_secret"],
    "hostile_target.Other": ["purge"],
}


def expand(value: Any) -> Any:
    """Build what is too large, or no text, to stand in the file of cases."""
    if not isinstance(value, dict):
        return value
    if "$repeat" in value:
        text, times = value["$repeat"]
        return text * times
    if "$concat" in value:
        return "".join(expand(each) for each in value["$concat"])
    if "$keys" in value:
        return json.dumps({f"k{number}": number for number in range(value["$keys"])})
    if "$bytes_hex" in value:
        return bytes.fromhex(value["$bytes_hex"])
    return float(value["$json"]) if "$json" in value else value


def prepared(case: dict[str, Any]) -> dict[str, Any]:
    """Give a case with everything in it built."""
    options = {name: expand(value) for name, value in case.get("options", {}).items()}
    return (
        case | {name: expand(case[name]) for name in ("class", "method", "parameters")} | {"options": options}
    )


def chosen(verdict: str) -> list[Any]:
    """Give the cases of enqueueing. A list of parameters is positional here, and documented as such."""
    cases = [each for each in CASES[verdict] if "class" in each and each["id"] != "params-list"]
    return [pytest.param(prepared(case), id=case["id"]) for case in cases]


REJECTED = chosen("rejected")
# A form's digits come as text: commands take those, Python calls do not.
ACCEPTED = [each for each in chosen("accepted") if each.id != "form-strings"]
# What nobody can type: it is no text.
TYPED = [each for each in REJECTED if isinstance(each.values[0]["method"], str)]
TYPED = [each for each in TYPED if isinstance(each.values[0]["class"], (str, int))]
IDS = [each for each in CASES["rejected"] if each["id"].startswith("exec-") and "(" not in each["id_value"]]


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Give one application to all cases: refused as they are, none leaves a trace."""
    sys.path.insert(0, str(DATA))
    made = host(tmp_path_factory.mktemp("host"), RUNNER_APPROVED=APPROVED)
    yield made
    with made.app_context():
        binding.current().engine.dispose()
    sys.path.remove(str(DATA))


def canaries() -> dict[Path, int]:
    """Find what the traps of the target write when they are touched."""
    return {path: path.stat().st_mtime_ns for path in Path("/tmp").glob("hostile_canary*")}


def stored(application: Flask) -> int:
    """Count all rows of all tables."""
    with application.app_context(), binding.current().read() as session:
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES)


@pytest.fixture
def nothing_happens(application: Flask) -> Iterator[None]:
    """See to it that a test stores nothing, springs no trap and writes no log."""
    before = canaries(), stored(application)
    yield
    assert before == (canaries(), stored(application))
    assert [] == list(Path(application.config["RUNNER_LOG_DIR"]).rglob("*.log"))


def typed(application: Flask, case: dict[str, Any]) -> Result:
    """Type a case as a command; what begins with a dash comes after the two that say it is no option."""
    given = case["parameters"]
    given = os.fsdecode(given) if isinstance(given, bytes) else given
    arguments = ["jobs", "run"] + (["-p", given] if given is not None else [])
    for name, value in case["options"].items():
        arguments += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    command = [*arguments, "--", str(case["class"]), case["method"]]
    return application.test_cli_runner().invoke(args=command)


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("case", REJECTED)
def test_a_call_is_refused_by_field(application: Flask, case: dict[str, Any]) -> None:
    """A Python call gets a ValidationError whose problem names the field."""
    with application.app_context(), pytest.raises(ValidationError) as refused:
        run_background_job(case["class"], case["method"], case["parameters"], **case["options"])

    assert [case["field"]] == [problem.field for problem in refused.value.problems]
    assert len(str(refused.value)) < 500


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("case", TYPED)
def test_a_command_is_refused_in_one_line(application: Flask, case: dict[str, Any]) -> None:
    """A command ends with 2 and one line on stderr that names the field, and prints nothing else."""
    done = typed(application, case)

    assert (2, "") == (done.exit_code, done.stdout)
    assert [done.stderr] == done.stderr.splitlines(keepends=True)
    assert case["error_must_name"] in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert done.stderr.rstrip("\n").isprintable()


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_is_right_is_accepted(application: Flask, case: dict[str, Any]) -> None:
    """The check is for what is wrong: odd texts, large numbers and deep objects are data."""
    before = canaries()
    with application.app_context(), binding.current().write() as session:
        options = case["options"] | {"session": session}
        job = run_background_job(case["class"], case["method"], case["parameters"], **options)

        assert json.loads(case["parameters"] or "[]") == json.loads(job.parameters)
        assert "hunter2" not in (job.shown_parameters or "")
        session.rollback()
    assert before == canaries()


@pytest.mark.parametrize("case", chosen("accepted"))
def test_what_is_right_can_be_typed(application: Flask, case: dict[str, Any]) -> None:
    """A command takes what a call takes, digits as text."""
    done = typed(application, case)

    assert (0, "") == (done.exit_code, done.stderr)
    with application.app_context(), binding.current().write() as session:
        (job,) = session.scalars(select(Job)).all()
        assert f"job {job.id} is enqueued\n" == done.stdout
        assert json.loads(case["parameters"] or "[]") == json.loads(job.parameters)
        session.delete(job)


def test_a_list_of_parameters_is_positional(application: Flask) -> None:
    """A list is taken as the arguments in their order, as documented."""
    with application.app_context(), binding.current().write() as session:
        job = run_background_job("hostile_target.Target", "run", '["a"]', session=session)
        assert '["a"]' == job.parameters
        session.rollback()


@pytest.mark.parametrize("case", [pytest.param(each, id=each["id"]) for each in IDS])
def test_a_number_that_is_none_starts_nothing(case: dict[str, Any]) -> None:
    """`python -m app.runner.exec` takes a job's number and nothing that merely looks like one."""
    before = canaries()
    given = case["id_value"]
    arguments = given if isinstance(given, list) else [given]

    done = subprocess.run(
        [sys.executable, "-m", "app.runner.exec", *arguments],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    if case["id"] == "exec-option":
        assert (0, "") == (done.returncode, done.stderr)
        assert done.stdout.startswith("usage: python -m app.runner.exec ID")
    else:
        assert (2, "") == (done.returncode, done.stdout)
        assert 1 == done.stderr.count("\n")
        assert "job id" in done.stderr
    assert before == canaries()


def test_a_handler_nobody_approved_is_refused_by_the_real_command(tmp_path: Path) -> None:
    """Typed in a shell, `flask jobs run time.X sleep` is one sentence and exit code 2."""
    lines = ["from flask import Flask", "from app.runner import Runner", "application = Flask(__name__)"]
    (tmp_path / "wsgi.py").write_text("\n".join([*lines, "Runner(application)", ""]))

    done = subprocess.run(
        [sys.executable, "-m", "flask", "jobs", "run", "time.X", "sleep", "-p", "[9]"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert "Error: class: 'time.X' is not an approved class\n" == done.stderr
