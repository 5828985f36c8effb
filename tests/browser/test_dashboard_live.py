"""The live list in a real browser: what a poll keeps, what it costs, and when it stops."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import update
from werkzeug.serving import make_server

from app.runner.models import Job
from tests.dashboard_house import House

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

CHROMIUM: Final = "/usr/bin/chromium"
SWITCHES: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PATIENCE_MILLISECONDS: Final = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium once."""
    with sync_api.sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        except sync_api.Error as problem:
            pytest.skip(f"no Chromium at {CHROMIUM}: {problem}")
        yield started
        started.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with a launcher and sixty jobs."""
    made = House(tmp_path)

    @made.application.after_request
    def restrict(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    made.launcher(silent_seconds=-3600)
    for _ in range(60):
        made.add("completed")
    yield made
    made.close()


@pytest.fixture
def page(house: House, browser: Browser) -> Iterator[Page]:
    """Open the list, and fail if anything is complained about in the console."""
    server = make_server("127.0.0.1", 0, house.application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context(viewport={"width": 1280, "height": 700})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    opened, complaints = context.new_page(), []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"http://127.0.0.1:{server.port}/background-jobs")
    yield opened
    context.close()
    server.shutdown()
    server.server_close()
    assert [] == complaints


def test_a_poll_keeps_selection_focus_and_scroll(house: House, page: Page) -> None:
    """A person at work is not disturbed by what changes around them."""
    page.check("#job-row-50 input")
    page.focus("#job-row-45 input")
    page.evaluate("window.scrollTo(0, 400)")

    with house.write() as session:
        session.execute(update(Job).where(Job.id == 48).values(status="failed", error="boom"))

    expect(page.locator("#job-row-48 .status")).to_have_text("failed")
    assert page.is_checked("#job-row-50 input")
    assert "45" == page.evaluate("document.activeElement.value")
    assert 400 == page.evaluate("window.scrollY")
    expect(page.locator(".bulk")).to_contain_text("1 selected")


def test_an_unchanged_list_costs_a_304(page: Page) -> None:
    """The second poll that finds nothing new carries no list."""

    def is_short(response: Any) -> bool:
        return bool(response.status == 304 and response.url.endswith("/background-jobs"))

    with page.expect_response(is_short):
        pass


def test_a_hidden_tab_asks_nothing_and_a_shown_one_at_once(page: Page) -> None:
    """Nobody pays for a dashboard that nobody looks at."""
    asked: list[str] = []
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        "new Promise(done => { let ticks = 0;"
        "document.querySelector('#job-list')"
        ".addEventListener('every', () => { if (++ticks === 2) done() }) })"
    )
    assert [] == asked

    with page.expect_request("**/background-jobs"):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {value: false, configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )


def test_a_dangerous_verb_asks_first(house: House, page: Page) -> None:
    """Nothing is run again before a person has said yes; saying no changes nothing."""
    page.click("#retry-60")
    page.click("dialog button[value=no]")
    expect(page.locator("dialog")).to_have_count(0)
    assert "completed" == house.status(60)

    page.click("#retry-60")
    page.click("dialog button[value=yes]")

    expect(page.locator("#job-row-60 .status")).to_have_text("pending")
    expect(page.locator("#notices")).to_contain_text("Job 60 will run again.")


def test_many_are_done_at_once_and_let_go(house: House, page: Page) -> None:
    """After a bulk action the list is fresh, and nothing stays chosen."""
    page.check("#job-row-60 input")
    page.check("#job-row-59 input")
    page.click(".bulk >> text=Retry")
    page.click("dialog button[value=yes]")

    expect(page.locator("#notices")).to_contain_text("Retry: 2 done.")
    expect(page.locator("#job-row-59 .status")).to_have_text("pending")
    expect(page.locator("input[name=ids]:checked")).to_have_count(0)
    assert ["pending", "pending"] == [house.status(59), house.status(60)]


def test_filters_keep_to_the_address(house: House, page: Page) -> None:
    """What is typed and chosen is in the address, and going back takes it away again."""
    house.add("failed", error="disk full")
    page.fill("#filter-text", "disk")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    assert page.url.endswith("?q=disk")

    page.click("#tab-failed")
    page.wait_for_url("**?*status=failed*")
    page.go_back()

    page.wait_for_url("**?q=disk")
    expect(page.locator("#tab-all")).to_have_attribute("aria-current", "page")
    expect(page.locator("#filter-text")).to_have_value("disk")


def test_the_theme_is_remembered(page: Page) -> None:
    """Light or dark is chosen once; the server renders it, so that no page flashes."""
    page.click("[data-theme-choice=dark]")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.click("[data-theme-choice=auto]")
    page.reload()
    assert None is page.get_attribute("html", "data-theme")


def test_a_narrow_screen_needs_no_sideways_scrolling(house: House, page: Page) -> None:
    """At 390 pixels a job is a card."""
    page.set_viewport_size({"width": 390, "height": 844})
    failed = house.add("failed", error="x" * 300, parameters='["' + "y" * 300 + '"]')

    for path in ("", f"/{failed}", "/failures", "/launchers"):
        page.goto(page.url.split("/background-jobs")[0] + "/background-jobs" + path)
        assert 390 >= page.evaluate("document.documentElement.scrollWidth"), path
