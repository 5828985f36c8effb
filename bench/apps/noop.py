"""Our handler: cheap to import, as handlers should be."""

from __future__ import annotations

from bench.stamp import stamp


class Noop:
    """Does nothing but say when."""

    def handle(self) -> None:
        """Leave a stamp."""
        stamp()
