"""Whether the database is at the newest revision, found out in a millisecond.

`flask db upgrade` would say so too, after a second of loading the application; every start would wait for it.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

REVISION: Final = re.compile(r"""^(down_)?revision\b[^=]*= ["']([^"']+)["']""", re.MULTILINE)


def is_newest(database: Path, revisions: Path) -> bool:
    """Whether this SQLite file is where `flask db upgrade` would bring it; False when in doubt."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error:
        return False
    return bool(found) and found == heads(revisions)


def heads(revisions: Path) -> set[str]:
    """Find the revisions that no other one comes after."""
    named: set[str] = set()
    surpassed: set[str] = set()
    for path in revisions.glob("*.py"):
        for is_down, revision in REVISION.findall(path.read_text()):
            (surpassed if is_down else named).add(revision)
    return named - surpassed
