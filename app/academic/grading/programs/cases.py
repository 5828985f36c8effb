"""Cases of a program: what goes in, what has to come out; from a list or from pairs of files.

The list is DMOJ's `test_cases`, with input and output in it or in files beside it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.academic.grading.programs.checkers import NAMES, Checker, regex_problem
from app.academic.grading.programs.running import Program

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.manifest import Section

_VISIBILITIES: Final = ("visible", "hidden", "after_due_date", "after_published")
_LARGEST_FILE: Final = 4 << 20
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
_IGNORED_FLAGS: Final = frozenset({"-u", "-B", "-s", "-O"})
# DMOJ's names of the same.
_OTHER_NAMES: Final = {
    "identical": "exact",
    "floatsabs": "floats",
    "floatsrel": "floats",
    "unordered": "sorted",
}
_NEAR: Final = {"floatsabs": "absolute", "floatsrel": "relative"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run of the program and what is expected of it."""

    program: Program
    given: bytes = b""
    # None: only the exit status counts.
    expected: tuple[str, ...] | None = None
    checker: Checker = Checker()  # noqa: RUF009 - frozen
    # The exit status that is right; None: any that is not a crash.
    status: int | None = 0
    wall: float | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """What gives points together: one case, or a batch of which every case has to be right."""

    title: str
    cases: tuple[Case, ...]
    points: float = 1.0
    visibility: str = "visible"


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What holds for a case that does not say otherwise, and where its files are."""

    folder: Path
    program: Program
    checker: Checker
    visibility: str = "visible"


def read_program(section: Section, default: str) -> Program:
    """Read `run`: a Python program of the submission, `python3 main.py` with arguments if it has any."""
    command = (section.words("run") or (default,))[0]
    found = program_of(command)
    if found is None:
        section.problem("run", f"a Python program such as 'python3 main.py'; {command!r} is another command")
    return found or Program(script="main.py")


def program_of(command: str) -> Program | None:
    """Return the program a command starts, None when it is not `python3 SCRIPT [ARGUMENTS]`."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or not _PYTHON.fullmatch(words.pop(0)):
        return None
    while words and words[0] in _IGNORED_FLAGS:
        words.pop(0)
    if not words or not words[0].endswith(".py") or words[0].startswith("-"):
        return None
    return Program(script=words[0].removeprefix("./"), arguments=tuple(words[1:]))


def read_checker(section: Section, usual: Checker) -> Checker:
    """Read `checker`: a name, or a name with what it is told."""
    if section.words_if_plain("checker") is not None:
        return _named(section, "checker", (section.words("checker") or ("",))[0], usual)
    inner = section.section("checker")
    if not inner.keys():
        return usual
    checker = _named(inner, "name", (inner.words("name") or ("standard",))[0], usual)
    arguments = inner.section("args") if "args" in inner.keys() else inner  # noqa: SIM118 - not a mapping
    checker = replace(
        checker,
        precision=arguments.integer("precision", checker.precision, 0, 15),
        near=arguments.choice("near", (checker.near, "either", "absolute", "relative")),
        has_case=(arguments.words("case") or ("yes",))[0].casefold() not in ("no", "false"),
    )
    if arguments is not inner:
        arguments.finish()
    inner.finish()
    return checker


def _named(section: Section, key: str, name: str, usual: Checker) -> Checker:
    known = _OTHER_NAMES.get(name, name)
    if known not in NAMES:
        section.problem(key, f"one of {', '.join(NAMES)}")
        return usual
    return Checker(name=known, near=_NEAR.get(name, "either"))


def read_cases(section: Section, usual: Usual) -> tuple[Group, ...]:
    """Read `test_cases`, batches included."""
    return tuple(
        _group(one, number, usual) for number, one in enumerate(section.sections("test_cases"), start=1)
    )


def _group(section: Section, number: int, usual: Usual) -> Group:
    title = section.text("name", "")
    is_sample = (section.words("sample") or ("no",))[0].casefold() in ("yes", "true")
    points = section.number("points", 0.0 if is_sample else 1.0, above=-1)
    visibility = section.choice("visibility", (usual.visibility, *_VISIBILITIES))
    inner = section.sections("batched") if "batched" in section.keys() else []  # noqa: SIM118 - as above
    cases = tuple(_case(one, replace(usual, checker=read_checker(section, usual.checker))) for one in inner)
    for one in inner:
        one.number("points", 0, above=-1)
        one.finish()
    group = Group(
        title=title or ("Sample" if is_sample else f"Case {number}"),
        cases=cases or (_case(section, usual),),
        points=points,
        visibility="visible" if is_sample else visibility,
    )
    section.finish()
    return group


def _case(section: Section, usual: Usual) -> Case:
    arguments = section.words("args")
    program = replace(usual.program, arguments=arguments) if arguments else usual.program
    checker = read_checker(section, usual.checker)
    expected = _content(section, "out", "output", usual.folder)
    status = section.integer("exit", 0, 0, 255)
    has_status = "exit" in section.keys()  # noqa: SIM118 - not a mapping
    if expected is None and not has_status:
        section.problem("out", "a file with the expected output, or the output itself under output")
    if expected is not None and checker.name.startswith("regex") and (wrong := regex_problem(expected)):
        section.problem("output", f"a regular expression, but {wrong}")
    return Case(
        program=program,
        given=(_content(section, "in", "input", usual.folder) or "").encode("utf-8", "surrogateescape"),
        expected=None if expected is None else (expected,),
        checker=checker,
        status=status if has_status else None,
        wall=section.number("wall", 0, above=-1) or None,
    )


def _content(section: Section, file_key: str, text_key: str, folder: Path) -> str | None:
    """Return what a file holds, or what stands in the manifest itself; None when neither is there."""
    name, text = section.words(file_key), section.words(text_key)
    if name is None:
        # Lines of input read from a terminal end with a line end.
        return None if text is None else _ended("\n".join(text))
    path = folder / name[0]
    is_inside = path.resolve().is_relative_to(folder.resolve())
    if not is_inside or not path.is_file() or path.stat().st_size > _LARGEST_FILE:
        section.problem(
            file_key, f"a file of at most {_LARGEST_FILE >> 20} MiB in the folder; {name[0]!r} is not"
        )
        return None
    return path.read_text("utf-8", "surrogateescape")


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def pairs_in(folder: Path, usual: Usual) -> tuple[Group, ...]:
    """Return the cases of a folder of 1.in with 1.out (or 1.ans), in the order of their numbers."""
    found = []
    for given in sorted(folder.glob("*.in"), key=_by_number):
        expected = next(
            (given.with_suffix(end) for end in (".out", ".ans") if given.with_suffix(end).is_file()), None
        )
        if expected is None:
            continue
        case = Case(
            program=usual.program,
            given=given.read_bytes(),
            expected=(expected.read_text("utf-8", "surrogateescape"),),
            checker=usual.checker,
            status=None,
        )
        is_sample = "sample" in given.stem.casefold()
        found.append(
            Group(
                title=given.stem,
                cases=(case,),
                points=0.0 if is_sample else 1.0,
                visibility="visible" if is_sample else usual.visibility,
            )
        )
    return tuple(found)


def _by_number(path: Path) -> list[tuple[bool, int, str]]:
    pieces = re.split(r"(\d+)", path.stem)
    return [(piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces]
