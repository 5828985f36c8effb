"""What a submission may use; every test has these anew, `total` is for all tests together."""

from __future__ import annotations

import math
import resource
from dataclasses import dataclass

_MEBIBYTE, _KIBIBYTE = 1 << 20, 1 << 10


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds, sizes and counts, as the manifest names them."""

    wall: float = 10.0
    cpu: float = 5.0
    total: float = 60.0
    memory_mb: int = 512
    output_kb: int = 64
    reply_kb: int = 256
    disk_mb: int = 16
    files: int = 512
    descriptors: int = 64
    threads: int = 32

    @property
    def output_bytes(self) -> int:
        """Most bytes a test may print to one stream."""
        return self.output_kb * _KIBIBYTE

    @property
    def reply_bytes(self) -> int:
        """Most bytes one result may have."""
        return self.reply_kb * _KIBIBYTE

    @property
    def disk_bytes(self) -> int:
        """Most bytes the work folder may hold."""
        return self.disk_mb * _MEBIBYTE

    def for_kernel(self, processes: int) -> list[tuple[int, int, int]]:
        """Return the resource limits as (which, soft, hard); processes counts those of the same user."""
        seconds = math.ceil(self.cpu)
        return [
            (resource.RLIMIT_CPU, seconds, seconds + 1),
            *_both(resource.RLIMIT_AS, self.memory_mb * _MEBIBYTE),
            *_both(resource.RLIMIT_FSIZE, self.disk_bytes),
            *_both(resource.RLIMIT_NOFILE, self.descriptors),
            *_both(resource.RLIMIT_NPROC, processes + self.threads),
            *_both(resource.RLIMIT_STACK, 8 * _MEBIBYTE),
            *_both(resource.RLIMIT_CORE, 0),
            *_both(resource.RLIMIT_MEMLOCK, 0),
            *_both(resource.RLIMIT_MSGQUEUE, 0),
        ]


def _both(which: int, value: int) -> list[tuple[int, int, int]]:
    _, hard = resource.getrlimit(which)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    return [(which, most, most)]
