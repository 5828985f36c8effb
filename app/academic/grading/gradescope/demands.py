"""What an autograder's setup.sh would install: it is never run, so that people see what has to be there."""

from __future__ import annotations

import re
import shlex
from typing import Final

_APT = re.compile(r"(?:apt|apt-get|aptitude)")
_PIP = re.compile(r"pip(?:3(?:\.\d+)?)?")
_LINE_END = re.compile(r"\\\r?\n")
_PARTS = re.compile(r"&&|\|\||[;|\n]")
# What takes a word of its own after it.
_WITH_VALUE: Final = frozenset(
    {"-r", "--requirement", "-t", "--target", "-i", "--index-url", "-c", "--constraint"}
)
_BEFORE: Final = frozenset({"sudo", "-H", "-E", "env", "DEBIAN_FRONTEND=noninteractive", "yes"})


def demands_of(setup: str) -> dict[str, list[str]]:
    """Return packages by where they come from: apt, pip; files of requirements by their path."""
    found: dict[str, list[str]] = {}
    for piece in _PARTS.split(_LINE_END.sub(" ", setup)):
        for source, names in _of_command(piece).items():
            known = found.setdefault(source, [])
            known += [name for name in names if name not in known]
    return found


def describe(demands: dict[str, list[str]]) -> str:
    """Return the demands as a line for the administrator, '' when there are none."""
    return "; ".join(f"{source}: {', '.join(names)}" for source, names in sorted(demands.items()) if names)


def _of_command(piece: str) -> dict[str, list[str]]:
    try:
        words = shlex.split(piece, comments=True)
    except ValueError:
        return {}
    while words and words[0] in _BEFORE:
        words.pop(0)
    if len(words) > 1 and words[1] == "-m" and words[0].startswith("python"):
        words = words[2:]
    if not words or "install" not in words:
        return {}
    program, rest = words[0].rsplit("/", 1)[-1], words[words.index("install") + 1 :]
    if _APT.fullmatch(program):
        return {"apt": [word for word in rest if not word.startswith("-")]}
    return _of_pip(rest) if _PIP.fullmatch(program) else {}


def _of_pip(rest: list[str]) -> dict[str, list[str]]:
    names: list[str] = []
    files: list[str] = []
    words = iter(rest)
    for word in words:
        if word in _WITH_VALUE:
            value = next(words, "")
            files += [value] if word in ("-r", "--requirement") else []
        elif not word.startswith("-"):
            names.append(word)
    return {"pip": names} | ({"requirements": files} if files else {})
