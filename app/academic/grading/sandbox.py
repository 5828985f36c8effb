"""Which sandbox this machine can give: tried out, never guessed, and refused when nothing holds.

Bubblewrap around the launcher is the first choice, the launcher alone the second.
"""

from __future__ import annotations

import functools
import glob
import marshal
import os
import random
import shutil
import sys
import sysconfig
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.academic.grading.seccomp import build_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.academic.grading.limits import Limits

TIERS = ("bubblewrap", "landlock")
_PACKAGE = "app.academic.grading"
# What the launcher loads, each after those it imports; the last one serves.
_HARNESS = (
    "wire",
    "sharing",
    "describing",
    "inside.beside",
    "inside.classes",
    "inside.derived",
    "inside.files",
    "inside.lent",
    "inside.surroundings",
    "inside.traces",
    "inside.values",
    "inside.harness",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib64")
_USUAL_IDS = range(2_000_000_000, 2_100_000_000)


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """How the boxes of one run are closed: the tier, the interpreter, and the user when started as root."""

    tier: str
    python: str
    user: int | None = None
    # Where pytest is, for the mode in which the tests run inside too.
    libraries: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as the session's configuration carries it."""
        return asdict(self)

    def command(self, run: Path) -> list[str]:
        """Return what starts the launcher."""
        if self.tier == "landlock":
            return _launch(self.python, str(run / "kit" / "box.pyc"))
        return [
            *_bubblewrap(self.python, run, self.libraries),
            "--",
            *_launch(self.python, "/box/kit/box.pyc"),
        ]

    def shared_folder(self, work: Path) -> str:
        """Return where the box finds the folder it shares with the tests."""
        return "/box/work/shared" if self.tier == "bubblewrap" else f"{work}/shared"

    def configuration(self, run: Path, work: Path, limits: Limits, modules: list[str]) -> dict[str, Any]:
        """Return what the launcher is told, without the numbers of its pipes."""
        private = self.tier == "bubblewrap"
        code = "/box/code" if private else str(run / "code")
        same_user = self.user is None and not private
        return {
            "parent": 0 if private else os.getpid(),
            "private": private,
            "work": "/box/work" if private else str(work),
            "code": code,
            "read": [code, *self.libraries, *_DEVICES[1:], *readable_paths(self.python)],
            "limits": limits.for_kernel(_threads_of_user() if same_user else 8),
            "disk_bytes": limits.disk_bytes,
            "disk_files": limits.files,
            "reply_bytes": limits.reply_bytes,
            "filter": build_filter(),
            "harness": inside_parts(_HARNESS),
            "modules": modules,
        }


def inside_parts(names: Sequence[str]) -> list[tuple[str, Any]]:
    """Return modules for the launcher to load, compiled; the last one serves."""
    return [(f"{_PACKAGE}.{name}", _compiled(name)) for name in names]


def write_kit(run: Path) -> None:
    """Put the launcher into the run folder, compiled: it starts 7 ms sooner, and any user can read it."""
    from importlib.util import MAGIC_NUMBER

    kit = run / "kit"
    kit.mkdir(mode=0o755)
    (kit / "box.pyc").write_bytes(MAGIC_NUMBER + bytes(12) + marshal.dumps(_compiled("inside.box")))
    (kit / "box.pyc").chmod(0o644)
    kit.chmod(0o755)


@functools.cache
def _compiled(name: str) -> Any:
    spec = find_spec(f"{_PACKAGE}.{name}")
    assert spec is not None  # noqa: S101 - given above, for the type checker
    assert spec.loader is not None  # noqa: S101 - given above, for the type checker
    return spec.loader.get_code(spec.name)  # type: ignore[attr-defined]


def _launch(python: str, script: str) -> list[str]:
    return [python, "-I", "-S", "-B", "-X", "utf8", script]


def _bubblewrap(python: str, run: Path, libraries: Sequence[str]) -> list[str]:
    paths = [*libraries, *_LIBRARIES, "/etc/ld.so.cache", python, *readable_paths(python)]
    command = [
        shutil.which("bwrap") or "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--cap-add",
        "CAP_SYS_ADMIN",
    ]
    for path in dict.fromkeys(paths):
        if os.path.exists(path):  # noqa: PTH110 - once per path and box
            command += ["--ro-bind", path, path]
    for device in _DEVICES:
        command += ["--dev-bind", device, device]
    command += ["--ro-bind", str(run / "code"), "/box/code", "--ro-bind", str(run / "kit"), "/box/kit"]
    return [*command, "--dir", "/box/work", "--chdir", "/"]


@functools.cache
def readable_paths(python: str) -> tuple[str, ...]:
    """Return what the interpreter itself needs to read: its library and the machine's shared libraries."""
    prefix = Path(python).parent.parent
    version = f"python{sysconfig.get_python_version()}"
    shared = [*glob.glob("/usr/lib/*-linux-*"), *glob.glob("/lib/*-linux-*")] or ["/usr/lib", "/lib"]  # noqa: PTH207 - a handful of patterns
    own = [str(prefix / "lib" / version), *glob.glob(f"{prefix}/lib/libpython*")]  # noqa: PTH207 - a handful of patterns
    return (
        *own,
        *shared,
        "/lib64",
        "/usr/lib64",
        "/usr/share/zoneinfo",
        "/etc/localtime",
        "/etc/ld.so.cache",
    )


def find_python(user: int | None) -> str:
    """Return an interpreter of our version that the user of the boxes can reach."""
    own = os.path.realpath(sys.executable)
    if user is None or _everybody_reaches(own):
        return own
    version = f"python{sysconfig.get_python_version()}"
    for folder in ("/usr/local/bin", "/usr/bin", "/opt/python/bin"):
        other = os.path.realpath(f"{folder}/{version}")
        if os.access(other, os.X_OK) and _everybody_reaches(other):
            return other
    raise LookupError(f"{own} cannot be reached by another user, and there is no other {version}")


def _everybody_reaches(path: str) -> bool:
    folders = Path(path).parents
    return all(folder.stat().st_mode & 0o001 for folder in folders) and bool(
        Path(path).stat().st_mode & 0o005
    )


def choose_user() -> int | None:
    """Return a user number nobody has, for one run; None when we are an ordinary user and stay it."""
    if os.geteuid() != 0:
        return None
    first, _, count = (
        int(part) for part in Path("/proc/self/uid_map").read_text(encoding="ascii").split()[:3]
    )
    known = range(first, first + count)
    usual = _USUAL_IDS if _USUAL_IDS[-1] in known else range(known[-1] - 4096, known[-1] - 2)
    return random.SystemRandom().choice(usual)


@functools.cache
def _threads_of_user() -> int:
    """Count what already runs as this user: the kernel counts it against the limit too."""
    count, user = 0, os.geteuid()
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                if entry.stat().st_uid == user:
                    count += os.stat(f"/proc/{entry.name}/task").st_nlink - 2  # noqa: PTH116 - one for each process
            except OSError:
                continue
    return count
