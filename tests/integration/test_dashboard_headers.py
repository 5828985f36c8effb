"""The dashboard protects itself in hosts that set no headers of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Response


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with an empty dashboard."""
    made = House(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("path", ["", "?status=odd", "/failures", "/launchers", "/0"])
def test_no_page_can_be_framed_or_guessed_at(house: House, path: str) -> None:
    """Another site can neither put the buttons under a person's clicks nor have a page taken for a script."""
    headers = house.get(path).headers

    assert ("DENY", "nosniff") == (headers["X-Frame-Options"], headers["X-Content-Type-Options"])


def test_our_own_layout_runs_nothing_inline(house: House) -> None:
    """Text of a job that got through as markup would still not run."""
    assert "script-src 'self';" in house.get().headers["Content-Security-Policy"]


def test_a_hosts_own_layout_keeps_its_scripts(tmp_path: Path) -> None:
    """In the frame of a host the policy is the host's, and what it sets itself is left alone."""
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "frame.html").write_text("{% block main %}{% endblock %}", encoding="utf-8")
    house = House(tmp_path, RUNNER_LAYOUT="frame.html")

    @house.application.after_request
    def allow_own_frames(response: Response) -> Response:
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    headers = house.get().headers

    assert ["SAMEORIGIN"] == headers.getlist("X-Frame-Options")
    assert "Content-Security-Policy" not in headers
    house.close()
