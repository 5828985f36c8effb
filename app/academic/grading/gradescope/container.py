"""An autograder's program in bubblewrap: the folders it expects, the clock, the caps, and its results file.

The autograder and the student's code are one program here: this keeps the machine safe, not the grade.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from app.academic.grading.errors import AutograderError
from app.academic.grading.gradescope.readings import LARGEST
from app.academic.grading.work_folder import holds_more

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.academic.grading.limits import Limits
    from app.academic.grading.sandbox import Confinement

_HOME: Final = "/autograder"
_TOOLS: Final = "/opt/grading"
_SYSTEM: Final = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
)
_LOOK_SECONDS: Final = 0.1
_FILES: Final = 20_000
_PROCESSES: Final = 64
_TEMPORARY: Final = 64 << 20
_OUTPUT: Final = 256 << 10
# Run before bubblewrap, which the limits then bind too.
_LIMITER: Final = (
    "import json,os,resource,sys\n"
    "for which,value in json.loads(sys.argv[1]): resource.setrlimit(which,(value,value))\n"
    "os.execv(sys.argv[2],sys.argv[2:])"
)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What is left of a run: the results file if there is one, what was printed, and how it ended."""

    results: bytes | None
    output: str
    status: int
    # Why it was ended by us, and against which limit; both '' when it ended by itself.
    problem: str = ""
    verdict: str = ""
    seconds: float = 0.0


def run_autograder(
    confinement: Confinement,
    run: Path,
    limits: Limits,
    submission: Mapping[str, bytes],
    source: Mapping[str, bytes],
) -> Finished:
    """Run `run_autograder` once on a submission; `run` is a folder of this run alone."""
    home = _lay_out(run, submission, source, confinement.user)
    process = _start(confinement, run, home, limits)
    watch = _Watch(process, home, limits)
    try:
        verdict, problem = watch.follow()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        if process.stdout is not None:
            process.stdout.close()
    return Finished(
        results=_read_inside(home, "results", "results.json"),
        output=bytes(watch.output).decode("utf-8", "backslashreplace"),
        status=status,
        problem=problem,
        verdict=verdict,
        seconds=time.monotonic() - watch.begun,
    )


def _lay_out(
    run: Path, submission: Mapping[str, bytes], source: Mapping[str, bytes], user: int | None
) -> Path:
    home = run / "autograder"
    for name, files in (("source", source), ("submission", submission)):
        for path, content in files.items():
            _write(home / name / path, content)
    _write(home / "run_autograder", source["run_autograder"])
    _write(home / "submission_metadata.json", json.dumps(_metadata(submission)).encode())
    (home / "results").mkdir(parents=True)
    for folder, _, names in os.walk(home):
        for path in (folder, *(os.path.join(folder, name) for name in names)):  # noqa: PTH118 - as os.walk gives them
            if user is not None:
                os.chown(path, user, user)
    _write(run / "passwd", b"student:x:1000:1000::/autograder:/bin/sh\n")
    (run / "passwd").chmod(0o644)
    return home


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_bytes(content)
    # Archives made elsewhere have lost the bit that makes a script a program.
    path.chmod(0o755 if content.startswith(b"#!") else 0o644)


def _metadata(submission: Mapping[str, bytes]) -> dict[str, object]:
    """Return what Gradescope tells of a submission, without the names of people."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00", time.gmtime())
    return {
        "id": 1,
        "created_at": now,
        "submission_method": "upload",
        "users": [],
        "previous_submissions": [],
        "files": sorted(submission),
        "assignment": {"id": 1, "title": "", "due_date": None, "late_due_date": None, "outline": []},
    }


def _start(confinement: Confinement, run: Path, home: Path, limits: Limits) -> subprocess.Popen[bytes]:
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        raise AutograderError("bubblewrap is gone")
    command = [bubblewrap, *_walls(confinement.python, run, home), "--", f"{_HOME}/run_autograder"]
    python = sys.executable if confinement.user is None else confinement.python
    try:
        return subprocess.Popen(  # noqa: S603 - our own list, without a shell
            [python, "-I", "-S", "-c", _LIMITER, json.dumps(_kernel_limits(limits)), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # What is in the environment of the caller would be readable inside.
            env={},
            cwd="/",
            start_new_session=True,
            user=confinement.user,
            group=confinement.user,
            extra_groups=None if confinement.user is None else [],
        )
    except OSError as error:
        raise AutograderError(f"the sandbox cannot be started: {error}") from error


def _walls(python: str, run: Path, home: Path) -> list[str]:
    words = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    words += ["--uid", "1000", "--gid", "1000", "--hostname", "autograder"]
    for path in _SYSTEM:
        if os.path.islink(path):  # noqa: PTH114 - once per path
            words += ["--symlink", os.readlink(path), path]  # noqa: PTH115 - as above
        elif os.path.exists(path):  # noqa: PTH110 - as above
            words += ["--ro-bind", path, path]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(_TEMPORARY), "--tmpfs", "/tmp"]  # noqa: S108 - inside
    words += ["--ro-bind", str(run / "passwd"), "/etc/passwd"]
    prefix = str(Path(python).parent.parent)
    if not prefix.startswith("/usr"):
        words += ["--ro-bind", prefix, prefix]
    for name in ("python3", "python"):
        words += ["--symlink", python, f"{_TOOLS}/bin/{name}"]
    if library := _library():
        words += ["--ro-bind", library, f"{_TOOLS}/lib/gradescope_utils"]
    words += ["--bind", str(home), _HOME, "--chdir", _HOME]
    environment = {
        "PATH": f"{_TOOLS}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": _HOME,
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{_TOOLS}/lib",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return words + [word for name, value in environment.items() for word in ("--setenv", name, value)]


def _library() -> str | None:
    """Return where the package is that many autograders import; its code alone, with nothing of the site."""
    found = find_spec("gradescope_utils")
    return str(Path(found.origin).parent) if found is not None and found.origin else None


def _kernel_limits(limits: Limits) -> list[tuple[int, int]]:
    import resource

    megabyte = 1 << 20
    return [
        (resource.RLIMIT_AS, limits.memory_mb * megabyte),
        (resource.RLIMIT_FSIZE, max(limits.disk_mb, 16) * megabyte),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, max(limits.descriptors, 256)),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        *([(resource.RLIMIT_NPROC, _PROCESSES)] if os.geteuid() == 0 else []),
    ]


class _Watch:
    """Reads what the program prints, with clock and disk in view."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, limits: Limits) -> None:
        self._process, self._home, self._limits = process, home, limits
        self.begun = time.monotonic()
        self.output = bytearray()

    def follow(self) -> tuple[str, str]:
        """Wait for the end; return which limit ended the program and why, nothing when it ended by itself."""
        assert self._process.stdout  # noqa: S101 - given above, for the type checker
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        is_open = True
        while is_open or self._process.poll() is None:
            if time.monotonic() - self.begun > self._limits.total:
                return "time_limit", f"it did not end within {self._limits.total:g} seconds"
            if _memory_of(self._process.pid) > self._limits.memory_mb << 20:
                most = f"{self._limits.memory_mb} MiB"
                return "memory_limit", f"its programs used more than {most} of memory together"
            if holds_more(self._home, _FILES, 8 * self._limits.disk_bytes):
                return "disk_limit", "it wrote too much to disk"
            for _ in poll.poll(_LOOK_SECONDS * 1000) if is_open else ():
                if not (part := os.read(descriptor, 1 << 16)):
                    poll.unregister(descriptor)
                    is_open = False
                self.output += part[: max(_OUTPUT - len(self.output), 0)]
            if not is_open:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_LOOK_SECONDS)
        return "", ""


def _memory_of(pid: int) -> int:
    """Return the bytes that a process and all below it have in memory; the kernel limits each alone."""
    try:
        own = psutil.Process(pid)
        family = [own, *own.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for one in family:
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total


def _read_inside(home: Path, *names: str) -> bytes | None:
    """Read a file below a folder the program could write to, following no link out of it."""
    try:
        place = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        for name in names[:-1]:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(place)
            place = inner
        file = os.open(names[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    except OSError:
        return None
    finally:
        os.close(place)
    with os.fdopen(file, "rb") as opened:
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        return opened.read(LARGEST + 1) if is_file else None
