"""The filter of system calls, run here instruction by instruction."""

from __future__ import annotations

import struct

import pytest

from app.academic.grading.seccomp import OWN_PID, build_filter

X86, ARM = 0xC000003E, 0xC00000B7
ALLOW, REFUSE, KILL, UNKNOWN_CALL = 0x7FFF0000, 0x00050001, 0x80000000, 0x00050026
ARCHITECTURES = {"x86_64": X86, "aarch64": ARM}


def verdict(machine: str, call: int, *arguments: int, architecture: int | None = None) -> int:
    """Return what the filter says about a call."""
    padded = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", call, architecture or ARCHITECTURES[machine], 0, *padded)
    lines = list(struct.iter_unpack("<HBBI", build_filter(machine)))
    place, register = 0, 0
    while True:
        code, yes, no, value = lines[place]
        if code == 0x06:
            return int(value)
        if code == 0x20:
            register = struct.unpack_from("<I", data, value)[0]
        elif code == 0x54:
            register &= value
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
            place += yes if holds else no
        place += 1


@pytest.mark.parametrize(
    ("machine", "read", "socket", "fork_like"), [("x86_64", 0, 41, 56), ("aarch64", 63, 198, 220)]
)
def test_reading_is_allowed_and_sockets_and_processes_are_not(
    machine: str, read: int, socket: int, fork_like: int
) -> None:
    """The list says what may be called; everything else is refused."""
    thread = 0x00010000 | 0x00000100

    assert ALLOW == verdict(machine, read)
    assert REFUSE == verdict(machine, socket)
    assert REFUSE == verdict(machine, fork_like, 17)
    assert ALLOW == verdict(machine, fork_like, thread)
    assert REFUSE == verdict(machine, fork_like, thread | 0x10000000)
    assert UNKNOWN_CALL == verdict(machine, 435)


def test_another_architecture_and_the_x32_bit_end_the_program() -> None:
    """Numbers of other call tables never reach the list."""
    assert KILL == verdict("x86_64", 0, architecture=0x40000003)
    assert KILL == verdict("x86_64", 0x40000000)


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        (62, (OWN_PID, 9), ALLOW),
        (62, (1, 9), REFUSE),
        (62, (2**32 - 1, 9), REFUSE),
        (72, (3, 1031), REFUSE),
        (72, (3, 1030), ALLOW),
        (16, (0, 0x5412), REFUSE),
        (16, (0, 0x5401), ALLOW),
        (13, (24, 1), REFUSE),
        (13, (15, 1), ALLOW),
        (53, (1, 1), ALLOW),
        (53, (1, 0o2000001), ALLOW),
        (53, (1, 2), REFUSE),
        (53, (2, 1), REFUSE),
        (44, (3, 0, 0, 0, 0), ALLOW),
        (44, (3, 0, 0, 0, 1 << 32), REFUSE),
        (302, (0, 7, 0), ALLOW),
        (302, (0, 7, 1 << 32), REFUSE),
        (302, (1, 7, 0), REFUSE),
        (157, (15,), ALLOW),
        (157, (38,), REFUSE),
    ],
)
def test_arguments_decide_where_a_call_has_two_faces(
    call: int, arguments: tuple[int, ...], expected: int
) -> None:
    """Signals to oneself, questions about a terminal and pairs of streams pass; their relatives do not."""
    assert expected == verdict("x86_64", call, *arguments)


def test_an_unknown_machine_has_no_filter() -> None:
    """Without a list of calls there is no sandbox."""
    with pytest.raises(LookupError, match="riscv64"):
        build_filter("riscv64")
