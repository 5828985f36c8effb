"""Every template of the dashboard renders, strictly, without anything of the site's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.dashboard_house import FRAGMENT, LAUNCHER, SILENT, House

if TYPE_CHECKING:
    import pytest

TEMPLATES = Path(__file__).parents[2] / "app" / "templates"


def test_every_template_renders_under_strict_undefined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host needs neither login, nor forms, nor our layout, and no page asks for what is not there."""
    house = House(tmp_path)
    loaded: set[str] = set()
    load = house.application.jinja_env.loader.load  # type: ignore[union-attr]

    def note(environment: object, name: str, *rest: object) -> object:
        loaded.add(name)
        return load(environment, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(house.application.jinja_env.loader, "load", note)
    visit_empty(house)
    visit_full(house)
    house.close()

    ours = {path.relative_to(TEMPLATES).as_posix() for path in (TEMPLATES / "runner").rglob("*.html")}
    assert set() == ours - loaded
    assert "base.html" not in loaded


def visit_empty(house: House) -> None:
    """See every page without a job."""
    for path in ("", "?q=x", "/failures", "/failures?q=x", "/launchers", "/classes", "/schedules"):
        assert 200 == house.get(path).status_code, path


def visit_full(house: House) -> None:
    """See every page and fragment with jobs in all states, and act."""
    house.post("/classes/pause", {"class": "*"})
    house.launcher(LAUNCHER)
    house.launcher(SILENT, silent_seconds=60)
    jobs = [house.add(), house.add(is_held=True), house.add("running", progress_done=1, progress_total=2)]
    jobs.append(house.add("running", cancel_requested_at=house.now, cancel_requested_by="eve"))
    jobs.append(house.add("running", launcher_id=SILENT, timeout_seconds=60.0, unique_key="k"))
    jobs += [house.add(status, attempt=1, attempts_used=1) for status in ("completed", "failed", "cancelled")]
    for job in jobs[2:]:
        house.attempt(
            job, 1, "failed", error="boom", traceback="Traceback", peak_memory_bytes=5, cpu_seconds=0.1
        )
    for path in ("", "/failures", "/launchers", *(f"/{job}{rest}" for job in jobs for rest in ("", "/logs"))):
        assert (200, 200) == (house.get(path).status_code, house.fragment(path).status_code), path
    assert 400 == house.get("?nope=1").status_code
    assert 409 == house.post(f"/{jobs[-1]}/hold").status_code
    chosen = {"ids": [str(job) for job in jobs]}
    assert 200 == house.post("/bulk/hold", chosen).status_code
    assert 200 == house.post("/bulk/hold", chosen, **FRAGMENT).status_code
