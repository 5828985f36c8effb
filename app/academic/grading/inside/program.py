"""What runs a student's program inside the sandbox as `python3 main.py` would, input and output on the pipes.

Its output and its end are all that is judged, and the trusted side judges them.
"""

from __future__ import annotations

import builtins
import os
import sys

from app.academic.grading.inside.surroundings import refuse_children

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn


def serve(requests: int, _replies: int, code: str, program: dict[str, Any], _reply_bytes: int) -> NoReturn:
    """Run the program to its end and leave with its exit status."""
    os.dup2(requests, 0)
    os.close(requests)
    for stream in (sys.stdout, sys.stderr):
        # Line buffered: what was printed before the time was over is shown to the student.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    refuse_children()
    for name in ("exit", "quit"):
        setattr(builtins, name, _leave)
    for name in program["files"]:
        _copy(f"{code}/{name}", name)
    sys.argv[:] = [program["script"], *program["arguments"]]
    sys.path.insert(0, code)
    sys.dont_write_bytecode = True
    status = _run(f"{code}/{program['script']}")
    _finish()
    os._exit(status)


def _leave(code: object = None) -> NoReturn:
    raise SystemExit(code)


def _copy(source: str, name: str) -> None:
    with open(source, "rb") as given, open(name, "wb") as taken:  # noqa: PTH123 - pathlib costs each box 10 ms
        taken.write(given.read())


def _run(path: str) -> int:
    main = _fresh_main(path)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            source = file.read()
        exec(compile(source, os.path.basename(path), "exec", dont_inherit=True), vars(main))  # noqa: PTH119, S102 - this is what the sandbox is for
    except SystemExit as end:
        return _status_of(end.code)
    except BaseException as error:  # noqa: BLE001 - whatever ended the program is told on its error stream
        _tell(error)
        return 1
    return 0


def _fresh_main(path: str) -> ModuleType:
    main = type(sys)("__main__")
    vars(main).update({"__file__": path, "__builtins__": builtins, "__spec__": None})
    sys.modules["__main__"] = main
    return main


def _status_of(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _tell(error: BaseException) -> None:
    try:
        import traceback

        # Our own frames are of no use to the student, and say where the site is.
        own = os.path.dirname(_tell.__code__.co_filename)  # noqa: PTH120 - pathlib costs each box 10 ms
        told = traceback.TracebackException.from_exception(error)
        for one in (told, told.__cause__, told.__context__):
            if one is not None:
                one.stack[:] = [frame for frame in one.stack if not frame.filename.startswith(own)]
        sys.stderr.write("".join(told.format()))
    except BaseException as second:  # noqa: BLE001 - an exception that cannot be shown is still an end
        sys.stderr.write(f"{type(error).__name__} (and {type(second).__name__} while it was shown)\n")


def _finish() -> None:
    """Do what the interpreter does at its end: wait for threads, call exit handlers, write out."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()  # noqa: SLF001 - what the interpreter itself calls
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()  # noqa: SLF001 - as above
    except BaseException as error:  # noqa: BLE001 - as above
        _tell(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue
