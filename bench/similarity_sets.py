"""Labelled sets of similar work, in the layouts they come in.

- *pairs*: a CSV file `pairs.csv` or `labels.csv` whose columns name two works and say whether one is a
  copy: `a`, `b`, `copied` (or `sub1`, `sub2`, `verdict`; 1, true and yes mean a copy) and, if there is more
  than one assignment, `group` (or `problem`). A work is a file or folder of that name below.
- *programs with copies*: `case-*/{original,non-plagiarized/NN,plagiarized/LEVEL/NN}/...`.
- *short texts with their source*: `file_information.csv` (File, Task, Category), `orig_task*.txt`.
- *a class*: independent solutions `*.py` or `*.py.txt` of one assignment, of which copies are made.
"""

from __future__ import annotations

import ast
import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from bench.disguise import DISGUISES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Files = dict[str, bytes]
PAIRS: Final = ("pairs.csv", "labels.csv")
_YES: Final = frozenset({"1", "true", "yes", "copy", "copied", "plagiarised", "plagiarized"})


@dataclass
class Case:
    """One assignment: independent works, and copies with what they were copied from."""

    name: str
    kind: Literal["code", "prose"]
    works: dict[str, Files]
    copies: list[tuple[str, str, Files]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    """Works that are not a student's: the original of all copies."""
    labels: dict[tuple[str, str], bool] = field(default_factory=dict)
    """Of a set of pairs: which of the works are copies of each other, and which are not."""


def cases_in(folder: Path) -> Iterator[Case]:
    """Read a folder, whichever of the layouts it is in."""
    labels = next((folder / name for name in PAIRS if (folder / name).exists()), None)
    if labels is not None:
        yield from _pair_cases(folder, labels)
    elif (folder / "file_information.csv").exists():
        yield from _prose_cases(folder)
    elif list(folder.glob("case-*")):
        for part in sorted(folder.glob("case-*")):
            yield _program_case(part)
    else:
        yield _class_case(folder)


def _pair_cases(folder: Path, labels: Path) -> Iterator[Case]:
    with labels.open(newline="", encoding="utf-8") as stream:
        rows = [{key.strip().lower(): value for key, value in row.items()} for row in csv.DictReader(stream)]
    cases: dict[str, Case] = {}
    for row in rows:
        group = row.get("group") or row.get("problem") or ""
        case = cases.setdefault(group, Case(f"{folder.name} {group}".strip(), "code", {}))
        names = (row.get("a") or row["sub1"], row.get("b") or row["sub2"])
        for name in names:
            if name not in case.works:
                case.works[name] = _work(folder, name)
        verdict = row.get("copied") or row.get("verdict") or ""
        case.labels[(min(names), max(names))] = verdict.strip().lower() in _YES
    yield from cases.values()


def _work(folder: Path, name: str) -> Files:
    found = folder / name
    if not found.exists():
        matches = sorted([*folder.rglob(name), *folder.rglob(f"{name}.*")])
        if not matches:
            raise SystemExit(f"{folder}: there is no file or folder {name!r}")
        found = matches[0]
    return {found.name: found.read_bytes()} if found.is_file() else _files(found)


def _prose_cases(folder: Path) -> Iterator[Case]:
    with (folder / "file_information.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for letter in sorted({row["Task"] for row in rows}):
        case = Case(f"{folder.name} {letter}", "prose", {})
        for row in rows:
            if row["Task"] != letter:
                continue
            content = {row["File"]: (folder / row["File"]).read_bytes()}
            if row["Category"] in ("orig", "non"):
                case.works[row["File"]] = content
            else:
                case.copies.append((row["Category"], f"orig_task{letter}.txt", content))
            if row["Category"] == "orig":
                case.sources.add(row["File"])
        yield case


def _program_case(folder: Path) -> Case:
    case = Case(f"{folder.parent.name} {folder.name}", "code", {"original": _files(folder / "original")})
    case.sources.add("original")
    for part in sorted((folder / "non-plagiarized").iterdir()):
        case.works[part.name] = _files(part)
    for level in sorted((folder / "plagiarized").iterdir()):
        case.copies += [(level.name, "original", _files(part)) for part in sorted(level.iterdir())]
    return case


def _class_case(folder: Path) -> Case:
    """Copies are made by machine of those that Python can read."""
    sources = {path.name.removesuffix(".txt"): path.read_text() for path in sorted(folder.glob("*.py*"))}
    case = Case(folder.name, "code", {name: {"solution.py": text.encode()} for name, text in sources.items()})
    readable = {name: text for name, text in sources.items() if _is_readable(text)}
    for level, disguise in DISGUISES.items():
        for name, text in readable.items():
            case.copies.append((level, name, {"solution.py": disguise(text).encode()}))
    return case


def _is_readable(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
