"""What a process has to load before it can run a job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def modules_after(statement: str) -> set[str]:
    """Give what a new interpreter has loaded after the statement, less what every one has."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def loaded_by(module: str) -> set[str]:
    """Give the modules that importing one brings along, itself included."""
    return modules_after(f"import {module}") - modules_after("pass")


def foreign(modules: set[str]) -> set[str]:
    """Give the packages among them that are neither Python's own nor ours."""
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"app"}


@pytest.mark.parametrize("package", ["app", "app.runner"])
def test_packages_on_the_way_to_a_job_import_nothing(package: str) -> None:
    """A package that every job's process passes through costs it nothing."""
    ours = {module for module in loaded_by(package) if module.startswith("app")}
    assert {"app", package} == ours
    assert set() == foreign(loaded_by(package))


def test_exec_imports_the_standard_library_and_six_modules_of_ours() -> None:
    """The process of a job loads no Flask, no SQLAlchemy and no psutil before its handler asks for it."""
    loaded = loaded_by("app.runner.exec")
    assert set() == foreign(loaded)
    wanted = {"arrival", "errors", "exec", "redact", "registry", "signature"}
    assert wanted == {module.rpartition(".")[2] for module in loaded if module.startswith("app.runner.")}


def test_the_warm_parent_imports_little_but_the_standard_library() -> None:
    """The process that all jobs are forked from stays slim: only what handlers need makes it larger."""
    assert {"setproctitle"} >= foreign(loaded_by("app.runner.launcher"))


def test_the_public_face_resolves_every_name_it_lists() -> None:
    """Host applications can import each public name from `app.runner`, lazily as it is."""
    names = "import json, app.runner as r; print(json.dumps([n for n in r.__all__ if not hasattr(r, n)]))"
    done = subprocess.run(
        [sys.executable, "-c", names], cwd=TOP, capture_output=True, text=True, check=True, timeout=60
    )
    assert [] == json.loads(done.stdout)
