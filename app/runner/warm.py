"""How the warm parent begins: `python -m app.runner.warm`, started by a launcher, and by nobody else."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path

import setproctitle

from app.runner import processes
from app.runner.child import rehearse
from app.runner.exec import is_flask_used, prepare_output
from app.runner.launcher import LARGEST_MESSAGE, WarmParent
from app.runner.reusing_parent import ReusingParent
from app.runner.signature import shape_of


def _warm_up(parent: WarmParent) -> None:
    """Do once what every forked process would have to do by itself."""
    for function in parent.registry.preload():
        shape_of(function)
    if is_flask_used():
        try:
            import_module("app.runner.context").load(parent.given["application"])
        except Exception as error:  # noqa: BLE001 - each job says so by itself, with its traceback
            sys.stderr.write(f"the application could not be loaded: {error!r}\n")
    rehearse()
    # The first time, the place for titles is looked for.
    setproctitle.setproctitle(setproctitle.getproctitle())
    # Last: what is logged while things are loaded is no job's, and nobody's news.
    prepare_output()


def main() -> None:
    """Serve the launcher whose sockets are named on the command line."""
    control, report = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    for each in (control, report):
        os.set_inheritable(each.fileno(), False)
    # A terminal's Ctrl-C is for the launcher, which then tells us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Loading may take long, and nobody would notice meanwhile that the launcher is gone.
    processes.stay_with_parent(int(sys.argv[4]))
    given = json.loads(control.recv(LARGEST_MESSAGE))
    # Whatever is forked or spawned from here is as nice.
    os.nice(given["nice"])
    Path(given["log_dir"]).mkdir(parents=True, exist_ok=True)
    is_reusing = given["jobs_per_process"] > 1 and given["start_method"] == "fork"
    parent = (ReusingParent if is_reusing else WarmParent)(control, report, given)
    if given["start_method"] == "fork":
        _warm_up(parent)
        gc.collect()
        gc.freeze()
    processes.outlive_parent()
    parent.run()


if __name__ == "__main__":
    main()
