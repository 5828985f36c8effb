"""The trusted process of one run: pytest with the instructor's tests, and the boxes they talk to.

Started by the grader as `python -m app.academic.grading.session`; its configuration is JSON on standard
input, its results are JSON lines on a pipe of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.academic.grading import lending, proxies
from app.academic.grading.channel import Box
from app.academic.grading.conversation import Conversation
from app.academic.grading.endings import BoxEnded
from app.academic.grading.errors import AutograderError
from app.academic.grading.files import SharedFiles
from app.academic.grading.guard import Guard
from app.academic.grading.limits import Limits
from app.academic.grading.mirror import Mirror, Surroundings
from app.academic.grading.sandbox import Confinement
from app.academic.grading.student_errors import MARK
from app.academic.grading.student_modules import StudentFinder

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEATH_SIGNAL = 1
_OUTPUT_LIMIT = 64 << 10


class Session:
    """The boxes of one run: a fresh one for each test, unless a wider fixture holds objects in it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._run, self._folder = Path(config["run"]), Path(config["folder"])
        self._shared = self._run / "shared"
        self.surroundings = Surroundings()
        self._limits = Limits(**config["limits"])
        self._confinement = Confinement(**config["confinement"])
        self.finder = StudentFinder(config["sources"], self.import_module)
        self._conversation: Conversation | None = None
        self._imported: list[str] = []
        self._was_imported = False
        self._is_silent = False
        self._wide: list[tuple[object, weakref.ref[proxies.Remote]]] = []
        self.scope: object = "collection"
        self.import_failure: BaseException | None = None
        self.broken: AutograderError | None = None
        self.import_output: list[str] = []
        self.output: list[str] = []
        self.cpu_seconds = 0.0

    def current(self) -> Conversation:
        """Return the conversation with the running test's box; starts the box when it is first needed."""
        if self.import_failure is not None:
            raise self.import_failure
        if self._conversation is None:
            self._conversation = self._open()
        return self._conversation

    @property
    def ended(self) -> BoxEnded | None:
        """The end of the present box, if it ended by itself or against a limit."""
        return None if self._conversation is None else self._conversation.box.ended

    def begin_test(self) -> None:
        """Make sure that the next request goes to a box without traces of an earlier test."""
        self.scope, self.output = None, []
        self._wide = [(scope, made) for scope, made in self._wide if made() is not None]
        now = self._conversation
        if now is not None and not self._wide and (now.is_used or not now.box.is_alive):
            self.close()
        if self._conversation is not None and self._conversation.box.is_alive:
            self._conversation.box.begin()

    def forget(self, scope: object) -> None:
        """Let go of what a fixture of wider scope had made."""
        self._wide = [(made_in, made) for made_in, made in self._wide if made_in is not scope]

    def close(self) -> None:
        """End the present box."""
        if self._conversation is not None:
            self._conversation.box.close()
            if self._conversation.box.files is not None:
                self._conversation.box.files.forget()
            self.cpu_seconds += self._conversation.box.cpu_seconds
            self._conversation = None

    def import_module(self, name: str, again: bool) -> None:  # noqa: FBT001 - as its caller passes it
        """Import a module of the student's in the box; a failure at collection waits for the tests."""
        known, self._imported = name in self._imported, list(dict.fromkeys([*self._imported, name]))
        is_collecting = self.scope == "collection"
        try:
            if self._conversation is None and not again:
                self.current()
            elif again or not known:
                self.current().request("import", module=name, again=again)
        except BaseException as error:
            if not is_collecting or not (hasattr(error, MARK) or isinstance(error, BoxEnded)):
                raise
            self.import_failure = error.with_traceback(None)

    def _open(self) -> Conversation:
        try:
            box = Box(self._confinement, self._run, self._limits, list(self.finder.sources))
        except AutograderError as error:
            self.broken = error
            raise
        box.files = SharedFiles(self._shared, box.shared_folder, self._folder)
        mirror = Mirror(self.surroundings, str(self._shared))
        conversation = Conversation(box, self._tell, self._note, mirror)
        self._is_silent = self._was_imported
        try:
            for name in self._imported:
                conversation.request("import", module=name, again=False)
        except BaseException as error:
            self._conversation = conversation
            if not self._was_imported:
                self.import_failure = error.with_traceback(None)
            raise
        finally:
            self._is_silent = False
        self._was_imported = self._was_imported or bool(self._imported)
        return conversation

    def _tell(self, which: int, text: str) -> None:
        if not text or self._is_silent:
            return
        kept = self.output if self._was_imported else self.import_output
        if sum(map(len, kept)) < _OUTPUT_LIMIT:
            kept.append(text[:_OUTPUT_LIMIT])
        (sys.stdout if which == 1 else sys.stderr).write(text)

    def _note(self, made: proxies.Remote) -> None:
        if self.scope is not None:
            self._wide.append((self.scope, weakref.ref(made)))


def main() -> int:
    """Run the tests; the exit status is pytest's."""
    _die_with_parent(int(sys.argv[1]))
    config = json.load(sys.stdin)
    events = config["events"]
    import pytest

    from app.academic.grading.plugin import GradingPlugin

    if config["mode"] != "isolated":
        return _run_beside(config)
    _enter_shared_folder(Path(config["run"]) / "shared")
    session = Session(config)
    session.surroundings.install(session.finder)
    lending.folders[:] = [config["folder"] + "/"]
    sys.addaudithook(Guard([f"{name.replace('.', '/')}.py" for name in config["sources"]]))
    proxies.current = session.current
    sys.path[:] = [path for path in sys.path if path not in {config["root"], config["run"], ""}]
    plugin = GradingPlugin(session, events)
    status = pytest.main(_arguments(config), plugins=[plugin])
    session.close()
    plugin.send_end(int(status))
    return int(status)


def _run_beside(config: Mapping[str, Any]) -> int:
    from app.academic.grading.beside import Beside
    from app.academic.grading.events import send_event

    beside = Beside(config, lambda event: send_event(config["events"], event))
    status = beside.run()
    send_event(
        config["events"], {"end": status, "cpu": beside.cpu_seconds, "output": "", "import_failure": None}
    )
    return status


def _enter_shared_folder(folder: Path) -> None:
    """Give tests a folder to write in whose files the box is given with their paths."""
    for one in (folder, folder / "cwd", folder / "temp"):
        one.mkdir(mode=0o700)
    os.chdir(folder / "cwd")
    os.environ["TMPDIR"] = str(folder / "temp")


def _arguments(config: Mapping[str, Any]) -> list[str]:
    unwanted = (
        "cacheprovider",
        "terminal",
        "warnings",
        "junitxml",
        "pastebin",
        "faulthandler",
        "stepwise",
        "logging",
    )
    arguments = [argument for name in unwanted for argument in ("-p", f"no:{name}")]
    folder = config["folder"]
    arguments += ["-c", os.devnull, "--rootdir", folder, "--confcutdir", folder]
    return [*arguments, "--basetemp", f"{config['run']}/shared/tests", *config["tests"]]


def _die_with_parent(parent: int) -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(72)


if __name__ == "__main__":
    # Under its own name, so that what imports it finds this module and not a second one.
    from app.academic.grading.session import main as run

    sys.exit(run())
