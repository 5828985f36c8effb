"""Which sandbox tier holds on this machine: found by trying to break each, best first.

There is no way to run without one. What was found is kept for this boot, interpreter and version of the site.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.academic.grading.channel import Box
from app.academic.grading.endings import BoxEnded
from app.academic.grading.errors import AutograderError, SandboxUnavailable
from app.academic.grading.limits import Limits
from app.academic.grading.run_folder import base_folder, run_folder
from app.academic.grading.sandbox import TIERS, Confinement, choose_user, find_python, write_kit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HERE = Path(__file__).parent
_PROBE = _HERE / "inside" / "probe.py"
_PARTS = (
    *(_HERE / name for name in ("wire.py", "sandbox.py", "seccomp.py", "selftest.py")),
    *sorted((_HERE / "inside").glob("*.py")),
)
_LIMITS = Limits(wall=10, cpu=5)


def choose_confinement(tiers: Sequence[str] = TIERS) -> Confinement:
    """Return the best confinement that holds here; SandboxUnavailable tells why none does."""
    tier = _choose_tier(tuple(tiers))
    user = choose_user()
    return Confinement(tier=tier, python=find_python(user), user=user)


@functools.cache
def _choose_tier(tiers: tuple[str, ...]) -> str:
    note = _note_path(tiers)
    known = _read_note(note)
    if known in tiers:
        return known
    reasons: dict[str, str] = {}
    for tier in tiers:
        reason = try_tier(tier)
        if reason is None:
            _write_note(note, tier)
            return tier
        reasons[tier] = reason
    raise SandboxUnavailable(reasons)


def try_tier(tier: str) -> str | None:
    """Return why a tier does not hold, or None when it does."""
    if tier == "bubblewrap" and shutil.which("bwrap") is None:
        return "bwrap is not installed"
    try:
        user = choose_user()
        confinement = Confinement(tier=tier, python=find_python(user), user=user)
        with run_folder() as run, _canary() as canary:
            write_kit(run)
            code = run / "code"
            code.mkdir()
            code.chmod(0o755)
            shutil.copyfile(_PROBE, code / "probe.py")
            (code / "probe.py").chmod(0o644)
            return _attack(confinement, run, canary)
    except (AutograderError, BoxEnded, OSError, LookupError) as error:
        return str(error) or type(error).__name__


@contextlib.contextmanager
def _canary() -> Iterator[Path]:
    """Give a file everybody may read and write: only the sandbox can refuse it."""
    with tempfile.TemporaryDirectory(prefix="grading-canary-") as folder:
        path = Path(folder) / "canary"
        path.write_text("canary", encoding="utf-8")
        path.parent.chmod(0o777)
        path.chmod(0o666)
        yield path


def _attack(confinement: Confinement, run: Path, canary: Path) -> str | None:
    box = Box(confinement, run, _LIMITS, ["probe"])
    try:
        box.ask({"n": 1, "op": "import", "module": "probe", "again": False})
        if _call(box, "add", 2, 3) != 5:  # noqa: PLR2004 - the probe's own numbers
            return "an honest program does not work in it"
        attacks: list[tuple[Any, ...]] = [
            ("read", str(canary)),
            ("write", str(canary.with_name("left-behind"))),
            ("touch", str(canary)),
            ("connect",),
            ("signal_parent", os.getpid()),
            ("fork",),
        ]
        for name, *arguments in attacks:
            if (said := _call(box, name, *arguments)) != "denied":
                return f"a test program was not stopped: it {said}"
        return _outlives(box)
    finally:
        box.close()


def _outlives(box: Box) -> str | None:
    try:
        _call(box, "end_at_once")
    except BoxEnded as end:
        return None if end.verdict == "runtime_error" else f"a crash is reported as {end.verdict}"
    return "a program outlived its own end"


def _call(box: Box, name: str, *arguments: Any) -> Any:
    request = {
        "n": 2,
        "op": "call",
        "on": {"path": ["probe", name]},
        "name": None,
        "args": list(arguments),
        "kwargs": {},
    }
    reply = box.ask(request)
    return reply.get("ok", reply.get("error"))


def _note_path(tiers: tuple[str, ...]) -> Path:
    parts = [Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"), *os.uname(), *tiers]
    python = find_python_or_none()
    for path in (*_PARTS, shutil.which("bwrap"), python):
        found = Path(path).stat() if path else None
        parts.append(f"{path} {found and (found.st_mtime_ns, found.st_size, found.st_ino)}")
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    return base_folder() / f"holds-{key}"


def find_python_or_none() -> str | None:
    """Return the boxes' interpreter, None where there is none another user reaches."""
    with contextlib.suppress(LookupError, OSError):
        return find_python(choose_user())
    return None


def _read_note(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            return path.read_text(encoding="ascii")
    return None


def _write_note(path: Path, tier: str) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        beside.write_text(tier, encoding="ascii")
        beside.rename(path)
