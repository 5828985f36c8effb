"""One JSON line for each thing that happens in the trusted process, on a pipe of its own."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def send_event(pipe: int, event: Mapping[str, Any]) -> None:
    """Write one event as a line of JSON."""
    data = memoryview((json.dumps(event) + "\n").encode())
    while data:
        data = data[os.write(pipe, data) :]
