"""Say where the site is, once it really answers."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading

ANSWER_WITHIN_SECONDS: Final = 60
# A proxy named by the environment has no business between us and our own site.
OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def announce(url: str, welcome: str, is_over: threading.Event) -> None:
    """Wait until the site answers, or is over; then print the welcome."""
    give_up_at = time.monotonic() + ANSWER_WITHIN_SECONDS
    while not is_over.wait(0.1):
        if answers(url):
            sys.stdout.write(welcome)
            sys.stdout.flush()
            return
        if time.monotonic() > give_up_at:
            sys.stderr.write(f"The site does not answer at {url} after {ANSWER_WITHIN_SECONDS} seconds.\n")
            return


def answers(url: str) -> bool:
    """Whether a page comes back, be it only the one that asks to sign in."""
    try:
        with OPENER.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as refused:
        return refused.code < 500  # noqa: PLR2004 - a broken site is not up
    except OSError:
        return False
