"""Log files: whole lines from many processes, in files that are made when they are needed."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

from app.runner import logs
from app.runner.joblog import log_finishes, warn
from app.runner.settings import Settings
from tests.runner_house import end

TOP = Path(__file__).parents[2]
WRITERS = 8
LINES = 150
WRITE = """
import sys
from pathlib import Path
from app.runner import logs

path, writer, lines = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sys.stdin.read()
for number in range(lines):
    text = logs.line("INFO", f"writer {writer}", {"number": number, "filler": writer * (number * 37 % 6000)})
    logs.append(path, [text])
"""


def test_lines_of_many_processes_stay_whole(tmp_path: Path) -> None:
    """Eight processes that write at once, long lines too, never cut into one another or lose a line."""
    path = tmp_path / "logs" / "shared.log"
    command = [sys.executable, "-c", WRITE, str(path)]
    writers = [
        subprocess.Popen([*command, str(number), str(LINES)], cwd=TOP, stdin=subprocess.PIPE)
        for number in range(WRITERS)
    ]
    for each in writers:
        assert each.stdin is not None
        each.stdin.close()
    assert [0] * WRITERS == [each.wait(timeout=60) for each in writers]

    seen: dict[str, list[int]] = {str(number): [] for number in range(WRITERS)}
    for line in path.read_text().splitlines():
        head, _, context = line.partition(" {")
        writer = head.rpartition(" ")[2]
        said = json.loads("{" + context)
        assert writer * (said["number"] * 37 % 6000) == said["filler"]
        seen[writer].append(said["number"])
    assert {writer: list(range(LINES)) for writer in seen} == seen


def test_a_log_is_for_its_owner_and_makes_its_folder(tmp_path: Path) -> None:
    """Logs may tell of people: the file is made where it belongs, readable by its owner alone."""
    path = tmp_path / "new" / "logs" / "jobs.log"

    logs.append(path, ["one\n", "two\n"])
    logs.append(path, ["three\n"])

    assert "one\ntwo\nthree\n" == path.read_text()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_nothing_to_say_makes_no_file(tmp_path: Path) -> None:
    """A turn without events leaves the disk alone."""
    logs.append(tmp_path / "empty.log", [])

    assert [] == list(tmp_path.iterdir())


def test_a_log_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """Rotation needs no signal: the next line goes into a new file."""
    path = tmp_path / "jobs.log"
    logs.append(path, ["old\n"])
    path.rename(tmp_path / "jobs.log.1")

    logs.append(path, ["new\n"])

    assert ("old\n", "new\n") == ((tmp_path / "jobs.log.1").read_text(), path.read_text())


def test_ends_go_to_their_files(tmp_path: Path) -> None:
    """One call writes each end to the file it belongs to; rescued jobs have a line as well."""
    settings = Settings(log_dir=tmp_path)

    log_finishes(settings, [(end(1), None), (end(2, status="failed", error="its launcher died"), None)])
    warn(settings, "The database refused", {"error": "disk full"})

    jobs, errors = (tmp_path / name for name in (logs.JOBS, logs.ERRORS))
    assert ["Job 1 completed"] == [line.split(": ")[1] for line in jobs.read_text().splitlines()]
    failed, warned = errors.read_text().splitlines()
    assert "local.ERROR: Job 2 failed: (rescued)" in failed
    assert 'local.WARNING: The database refused {"error":"disk full"}' in warned
