"""The launcher inside the sandbox: takes its configuration from standard input, then gives up every power.

Runs alone as `python -I -S -B box.pyc`, so it imports nothing of the site and keeps nothing but limits.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import resource
import sys

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, NoReturn

_DEATH_SIGNAL, _NOT_DUMPABLE, _NO_NEW_PRIVILEGES, _SECCOMP = 1, 4, 38, 22
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_KILL, _CAPSET = 9, {"x86_64": 126, "aarch64": 91}
_READ_FILE, _READ_DIRECTORY = 1 << 2, 1 << 3
_READ_WRITE = 1 << 1 | 1 << 2
# by version of Landlock: rights over files, over the network, scopes, size of the attribute
_NEWEST = 6
_VERSIONS = {
    1: (13, 0, 0, 8),
    2: (14, 0, 0, 8),
    3: (15, 0, 0, 8),
    4: (15, 3, 0, 16),
    5: (16, 3, 0, 16),
    6: (16, 3, 3, 24),
}
# execute, character and block devices, sockets, device control: never given, not even in the work folder
_NEVER = 1 << 0 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 15
_PRIVATE = 1 << 18
_MOUNT_SAFELY = 1 << 1 | 1 << 2 | 1 << 3  # nosuid, nodev, noexec

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Confine this process, say so on the status pipe, then serve the student's code."""
    config = _read_configuration()
    status: int = config["status"]
    try:
        requests = _detach_input()
        _die_with_parent(config["parent"])
        _make_work_folder(config)
        serve = _load_harness(config.pop("harness"))
        _confine(config)
    except Exception as error:  # noqa: BLE001 - whatever fails here has to be told, not lost
        os.write(status, f"failed {type(error).__name__}: {error}\n".encode())
        os._exit(70)
    os.write(status, b"ready\n")
    os.close(status)
    serve(requests, config["replies"], config["code"], config["modules"], config["reply_bytes"])
    os._exit(0)


def _read_configuration() -> dict[str, Any]:
    import marshal

    size = int.from_bytes(_read_exactly(4), "big")
    config: dict[str, Any] = marshal.loads(_read_exactly(size))  # noqa: S302 - written by our own trusted side
    return config


def _read_exactly(size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = os.read(0, size - len(parts))
        if not part:
            os._exit(71)
        parts += part
    return parts


def _detach_input() -> int:
    requests = os.dup(0)
    empty = os.open("/dev/null", os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return requests


def _die_with_parent(parent: int) -> None:
    _call(_libc.prctl, _DEATH_SIGNAL, _KILL, 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(72)


def _make_work_folder(config: dict[str, Any]) -> None:
    work: str = config["work"]
    if config["private"]:
        options = f"size={config['disk_bytes']},nr_inodes={config['disk_files']},mode=0700"
        flags = ctypes.c_ulong(_MOUNT_SAFELY)
        _call(_libc.mount, b"tmpfs", work.encode(), b"tmpfs", flags, options.encode())
        _drop_capabilities()
    os.chdir(work)
    os.environ["TMPDIR"] = os.environ["HOME"] = work


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _call(_libc.prctl, 47, 4, 0, 0, 0)  # the ambient set too
    _call(_libc.syscall, _CAPSET[os.uname().machine], ctypes.byref(header), ctypes.byref(nothing))


def _load_harness(parts: list[tuple[str, CodeType]]) -> Any:
    # The harness looks up builtins in a copy of its own: the student may replace the shared ones.
    own = dict(vars(builtins))
    loaded: dict[str, ModuleType] = {}

    def import_part(name: str, *rest: Any) -> Any:
        return loaded[name] if name in loaded else __import__(name, *rest)

    own["__import__"] = import_part
    for name, code in parts:
        module = type(sys)("box")
        vars(module)["__builtins__"] = own
        exec(code, vars(module))  # noqa: S102 - our own modules, compiled by our parent
        loaded[name] = module
    own["__import__"] = __import__
    return loaded[parts[-1][0]].serve


def _confine(config: dict[str, Any]) -> None:
    for which, soft, hard in config["limits"]:
        resource.setrlimit(which, (soft, hard))
    _call(_libc.prctl, _NOT_DUMPABLE, 0, 0, 0, 0)
    _call(_libc.prctl, _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _restrict_files(config["read"], config["work"])
    _filter_calls(config["filter"])


def _restrict_files(readable: list[str], work: str) -> None:
    version = min(_call(_libc.syscall, _CREATE_RULESET, None, ctypes.c_size_t(0), 1), _NEWEST)
    files, network, scopes, size = _VERSIONS[version]
    rights = (1 << files) - 1
    attribute = (ctypes.c_uint64 * 3)(rights, network, scopes)
    ruleset = _call(_libc.syscall, _CREATE_RULESET, ctypes.byref(attribute), ctypes.c_size_t(size), 0)
    for path in readable:
        _allow(ruleset, path, (_READ_FILE | _READ_DIRECTORY) & rights)
    _allow(ruleset, "/dev/null", _READ_WRITE & rights)
    _allow(ruleset, work, rights & ~_NEVER)
    _call(_libc.syscall, _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no permission
    if not os.fstat(place).st_mode & 0o040000:
        rights &= ~_READ_DIRECTORY
    rule = _Beneath(rights, place)
    _call(_libc.syscall, _ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
    os.close(place)


def _filter_calls(program: bytes) -> None:
    program = program.replace(b"\xf1\xff\xff\x7f", os.getpid().to_bytes(4, "little"))
    lines = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_void_p))

    filter_ = Program(len(program) // 8, ctypes.addressof(lines))
    _call(_libc.prctl, _SECCOMP, 2, ctypes.byref(filter_), 0, 0)


def _call(function: Any, *arguments: Any) -> int:
    result: int = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)} ({function.__name__} {arguments[0]})")
    return result


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
