"""The key that signs cookies during development: made once, kept in instance/secret_key."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MINIMUM_BYTES: Final = 32


class KeyFileError(Exception):
    """The key file is there but is not a key."""


def development_key(folder: Path) -> str:
    """Read the key, making it first if need be; all processes that start at once get the same."""
    path = folder / "secret_key"
    if not path.exists():
        _make(path)
    key = path.read_text("ascii", "replace").strip()
    if len(key) < MINIMUM_BYTES:
        raise KeyFileError(
            f"{path} holds no key of {MINIMUM_BYTES} bytes; remove the file and a new one is made"
        )
    return key


def _make(path: Path) -> None:
    # Written aside and linked into place: the name never shows half a key, and the first one wins.
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(MINIMUM_BYTES))
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
