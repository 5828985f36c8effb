"""The site put together: configuration, extensions, blueprints, headers, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask


def build_application(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Build the site; `overrides` go before the environment and the defaults."""
    from app.web.application import build

    return build(overrides)
