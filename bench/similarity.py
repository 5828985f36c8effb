"""Measure the similarity check: how well it tells copies, and what a look-up costs.

    python -m bench.similarity [--timing N] [FOLDER...]

A folder is one of
- a set of programs with copies: `case-*/{original,non-plagiarized,plagiarized/LEVEL}/...`;
- a set of short texts with their source: `file_information.csv`, `orig_*.txt`;
- a class: independent solutions `*.py` or `*.py.txt` of one assignment, of which copies are made.

Printed per class: AUC of copies against innocent pairs, recall at 50 per kind of copy, and the
share of innocent authors whose highest score reaches 50 (against anybody innocent).
"""

from __future__ import annotations

import argparse
import csv
import itertools
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import app.academic.models
import app.academic.similarity.models
import app.accounts.models  # noqa: F401 - the tables that ours refer to
from app.academic.similarity import SimilarityResult, fingerprint, store_and_compare
from app.db import Base
from bench.disguise import DISGUISES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.academic.similarity.prints import Prints

FLAG_AT = 50
TABLES = [table for name, table in Base.metadata.tables.items() if name.startswith("similarity_")]

Files = dict[str, bytes]


@dataclass
class Case:
    """One assignment: independent works, and copies with what they were copied from."""

    name: str
    kind: Literal["code", "prose"]
    works: dict[str, Files]
    copies: list[tuple[str, str, Files]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    """Works that are not a student's: the original of all copies."""


@dataclass
class Figures:
    """What was measured of a case."""

    positives: dict[str, list[int]] = field(default_factory=dict)
    innocent_pairs: list[int] = field(default_factory=list)
    innocent_authors: list[int] = field(default_factory=list)

    @property
    def auc(self) -> float:
        """Chance that a copy scores above an innocent pair, ties counted half."""
        copies = list(itertools.chain.from_iterable(self.positives.values()))
        won = sum(
            (copy > innocent) + (copy == innocent) / 2 for copy in copies for innocent in self.innocent_pairs
        )
        return won / (len(copies) * len(self.innocent_pairs)) if copies and self.innocent_pairs else 0.0


class Class:
    """An assignment in a database of its own."""

    def __init__(self, path: str = "") -> None:
        engine = create_engine(f"sqlite:///{path}")
        Base.metadata.create_all(engine, tables=TABLES)
        self.session = Session(engine)
        self.numbers: dict[str, int] = {}

    def hand_in(self, name: str, prints: Prints) -> SimilarityResult:
        """Check one author's submission."""
        number = self.numbers.setdefault(name, len(self.numbers) + 1)
        return store_and_compare(
            self.session, prints, submission_id=number, assignment_id=1, author_id=number
        )

    def score(self, result: SimilarityResult, other: str) -> int:
        """A result's score against one other author."""
        number = self.numbers[other]
        return next((match.score for match in result.matches if match.submission_id == number), 0)


def measure(case: Case) -> Figures:
    """Hand in the innocent works; then every copy alone, as the last of the class."""
    figures = Figures()
    room = Class()
    prints = {name: fingerprint(files, kind=case.kind) for name, files in case.works.items()}
    for name, found in prints.items():
        room.hand_in(name, found)
    students = [name for name in prints if name not in case.sources]
    results = {name: room.hand_in(name, prints[name]) for name in prints}
    for name in students:
        scores = [room.score(results[name], other) for other in prints if other != name]
        figures.innocent_authors.append(max(scores, default=0))
        against = case.sources or set(students) - {name}
        figures.innocent_pairs += [room.score(results[name], other) for other in sorted(against)]
    room.session.commit()
    for number, (level, original, files) in enumerate(case.copies):
        result = room.hand_in(f"copy {number}", fingerprint(files, kind=case.kind))
        figures.positives.setdefault(level, []).append(room.score(result, original))
        room.session.rollback()
    return figures


def measure_prose(case: Case) -> Figures:
    """Hand in all texts, copied or not, as one class; judge each against the source."""
    figures = Figures()
    room = Class()
    everything = dict(case.works) | {f"{level}:{n}": f for n, (level, _, f) in enumerate(case.copies)}
    prints = {name: fingerprint(files, kind="prose") for name, files in everything.items()}
    for name, found in prints.items():
        room.hand_in(name, found)
    source = next(iter(case.sources))
    for name, found in prints.items():
        if name in case.sources:
            continue
        result = room.hand_in(name, found)
        score = room.score(result, source)
        level, colon, _ = name.partition(":")
        if colon:
            figures.positives.setdefault(level, []).append(score)
        else:
            figures.innocent_pairs.append(score)
            figures.innocent_authors.append(result.score)
    return figures


def cases_in(folder: Path) -> Iterator[Case]:
    """Read a folder, whichever of the three kinds it is."""
    if (folder / "file_information.csv").exists():
        yield from _prose_cases(folder)
    elif list(folder.glob("case-*")):
        for part in sorted(folder.glob("case-*")):
            yield _program_case(part)
    else:
        yield _class_case(folder)


def _prose_cases(folder: Path) -> Iterator[Case]:
    with (folder / "file_information.csv").open(newline="") as stream:
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
    sources = {path.name.removesuffix(".txt"): path.read_text() for path in sorted(folder.glob("*.py*"))}
    case = Case(folder.name, "code", {name: {"solution.py": text.encode()} for name, text in sources.items()})
    for level, disguise in DISGUISES.items():
        for name, text in sources.items():
            case.copies.append((level, name, {"solution.py": disguise(text).encode()}))
    return case


def _files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def show(case: Case, figures: Figures) -> None:
    """Print one line of the table."""
    everything = list(itertools.chain.from_iterable(figures.positives.values()))
    recall = " ".join(
        f"{level} {sum(score >= FLAG_AT for score in scores) / len(scores):.2f}"
        for level, scores in figures.positives.items()
    )
    flagged = sum(score >= FLAG_AT for score in figures.innocent_authors)
    print(
        f"{case.name:26} AUC {figures.auc:.3f}  recall {_share(everything):.2f} ({recall})  "
        f"false flags: pairs {_share(figures.innocent_pairs):.3f}, "
        f"authors {flagged}/{len(figures.innocent_authors)}"
    )


def _share(scores: list[int]) -> float:
    return sum(score >= FLAG_AT for score in scores) / len(scores) if scores else 0.0


def timing(count: int, path: str) -> None:
    """Print the CPU time of the k-th submission, all of them mixed from a few sources: the worst case."""
    dice = random.Random(1)  # noqa: S311 - the same class every time
    sources = [[_line(dice) for _ in range(60)] for _ in range(25)]
    room = Class(path)
    spent: list[tuple[float, float]] = []
    for number in range(count):
        lines = [dice.choice(pair) for pair in zip(*dice.sample(sources, 2), strict=True)]
        begun = time.process_time()
        found = fingerprint({"a.py": "\n".join(lines).encode()})
        middle = time.process_time()
        room.hand_in(f"s{number}", found)
        room.session.commit()
        spent.append((middle - begun, time.process_time() - middle))
    tenth = max(1, count // 10)
    for title, part in (("first tenth", spent[:tenth]), ("last tenth", spent[-tenth:])):
        prints, rest = (statistics.median(values) * 1000 for values in zip(*part, strict=True))
        print(f"{title:12} fingerprint {prints:6.1f} ms   store and compare {rest:6.1f} ms")


def _line(dice: random.Random) -> str:
    first, second = (dice.choice("abcdefgh") + str(dice.randrange(9)) for _ in range(2))
    return dice.choice(
        [
            f"{first} = {second} + {dice.randrange(99)}",
            f"if {first} > {second}: print({first})",
            f"{first} = [x for x in {second} if x]",
            f"for {first} in range({second}): {second}.append({first})",
            f"{first}.update({second}, key={dice.randrange(9)})",
        ]
    )


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description="Measure the similarity check.")
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--timing", type=int, default=0, metavar="N", help="time N submissions")
    parser.add_argument("--database", default="", metavar="PATH", help="file for --timing (else memory)")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        for case in cases_in(folder):
            show(case, measure_prose(case) if case.kind == "prose" else measure(case))
    if arguments.timing:
        timing(arguments.timing, arguments.database)


if __name__ == "__main__":
    main()
