"""Cases as other systems write them: DMOJ's init.yml, GitHub Classroom's autograding.json, check50's YAML."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from app.academic.grading.programs.cases import Case, Group, program_of, read_cases, read_checker
from app.academic.grading.programs.checkers import Checker, regex_problem

if TYPE_CHECKING:
    from app.academic.grading.manifest import Section
    from app.academic.grading.programs.cases import Usual
    from app.academic.grading.programs.running import Program

_COMPARISONS: Final = {"included": "included", "exact": "standard", "regex": "regex-search"}
_MINUTE: Final = 60.0


def read_foreign(top: Section, usual: Usual) -> tuple[Group, ...]:
    """Return the cases of another system's file, told apart by their first key."""
    keys = top.keys()
    if "test_cases" in keys:
        return _dmoj(top, usual)
    if "tests" in keys:
        return tuple(
            _classroom(one, number, usual) for number, one in enumerate(top.sections("tests"), start=1)
        )
    if "check50" in keys:
        checks = top.section("check50").section("checks")
        return tuple(_check50(checks, name, usual) for name in checks.keys())  # noqa: SIM118 - not a mapping
    top.problem("", "test_cases (DMOJ), tests (GitHub Classroom) or check50 with checks")
    return ()


def _dmoj(top: Section, usual: Usual) -> tuple[Group, ...]:
    for key in ("archive", "generator", "custom_judge", "interactive"):
        if key in top.keys():  # noqa: SIM118 - as above
            top.problem(key, "nothing: unpack the files beside it; generators and judges are not supported")
    return read_cases(top, replace(usual, checker=read_checker(top, usual.checker)))


def _classroom(section: Section, number: int, usual: Usual) -> Group:
    comparison = section.choice("comparison", ("included", *_COMPARISONS))
    expected = "\n".join(section.words("output") or ())
    checker = Checker(name=_COMPARISONS[comparison])
    if comparison == "regex" and (wrong := regex_problem(expected)):
        section.problem("output", f"a regular expression, but {wrong}")
    if "".join(section.words("setup") or ()).strip():
        section.problem("setup", "nothing: programs run as they are handed in, without a set-up of their own")
    case = Case(
        program=_program(section, usual),
        given=_ended("\n".join(section.words("input") or ())).encode(),
        expected=(expected,) if expected else None,
        checker=checker,
        status=None if expected else 0,
        # Classroom counts minutes, and gives ten where one second would do.
        wall=section.number("timeout", 10.0, above=0) * _MINUTE,
    )
    return Group(
        title=section.text("name", f"Test {number}"),
        cases=(case,),
        points=section.number("points", 1.0, above=-1),
        visibility=usual.visibility,
    )


def _check50(checks: Section, name: str, usual: Usual) -> Group:
    runs = checks.sections(name)
    return Group(
        title=name,
        cases=tuple(_check50_run(one, usual) for one in runs),
        visibility=usual.visibility,
    )


def _check50_run(section: Section, usual: Usual) -> Case:
    has_exit = "exit" in section.keys()  # noqa: SIM118 - not a mapping
    status = section.integer("exit", 0, 0, 255) if has_exit else None
    case = Case(
        program=_program(section, usual),
        given="".join(_ended(line) for line in section.words("stdin") or ()).encode(),
        expected=section.words("stdout"),
        # Each expected piece after the one before, whatever stands between: prompts, for one.
        checker=Checker(name="included"),
        status=status,
    )
    section.finish()
    return case


def _program(section: Section, usual: Usual) -> Program:
    command = (section.words("run") or ("",))[0]
    if not command:
        return usual.program
    found = program_of(command)
    if found is None:
        section.problem("run", f"a Python program such as 'python3 main.py'; {command!r} is another command")
        return usual.program
    return replace(found, files=usual.program.files)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
