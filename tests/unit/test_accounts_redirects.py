"""Addresses that come from the browser never lead to another site."""

from __future__ import annotations

import pytest

from app.accounts.redirects import safe_next


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "home",
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5cevil.example",
        "/%5Cevil.example",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\n/evil.example",
        "/\r\nLocation: https://evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\x00",
        "/\u202eevil",
        "/x\u2028y",
    ],
)
def test_what_could_lead_elsewhere_is_dropped(target: str | None) -> None:
    """Whatever a browser might read as another host, or a header as a new line, is not followed."""
    assert safe_next(target) is None


@pytest.mark.parametrize("target", ["/", "/submissions/3", "/background-jobs?status=failed&q=a%20b", "/a//b"])
def test_a_path_of_this_site_is_followed(target: str) -> None:
    """A person who is asked to sign in gets back to the page they wanted, query included."""
    assert target == safe_next(target)
