"""Measure the similarity check: how well it tells copies, and what a look-up costs.

    python -m bench.similarity [--halves] [--peers [--node-modules PATH]] [--timing N] [FOLDER...]

How a folder may look is told in bench/similarity_sets.py. Printed per assignment and for all: AUC and
average precision of copies against innocent pairs, recall and false flags at 50, and the share of
innocent authors whose highest score reaches 50 against anybody innocent. `--halves` prints both
halves of each set, so that what was tuned on one is seen on the other; `--peers` other tools, with
pairs alone, on the same works.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import app.academic.models
import app.academic.similarity.models
import app.accounts.models  # noqa: F401 - the tables that ours refer to
from app.academic.similarity import SimilarityResult, fingerprint, keep_all, store_and_compare, store_prints
from app.academic.similarity.compare import compare
from app.academic.similarity.engine import keep
from app.academic.similarity.store import documents
from app.academic.similarity.sweep import compare_all, compare_class
from app.db import Base
from bench.similarity_peers import peers
from bench.similarity_sets import cases_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.academic.similarity.prints import Prints
    from bench.similarity_sets import Case, Files

FLAG_AT = 50
TABLES = [table for name, table in Base.metadata.tables.items() if name.startswith("similarity_")]
Scored = tuple[str, float]
"""Whose score it is, by which halves are told apart; and the score."""


@dataclass
class Figures:
    """What was measured."""

    copies: dict[str, list[Scored]] = field(default_factory=dict)
    innocent_pairs: list[Scored] = field(default_factory=list)
    innocent_authors: list[Scored] = field(default_factory=list)

    @property
    def positives(self) -> list[float]:
        """Scores of all copies."""
        return [score for scored in self.copies.values() for _, score in scored]

    @property
    def auc(self) -> float:
        """Chance that a copy scores above an innocent pair, ties counted half."""
        copies, innocent = self.positives, [score for _, score in self.innocent_pairs]
        won = sum((copy > other) + (copy == other) / 2 for copy in copies for other in innocent)
        return won / (len(copies) * len(innocent)) if copies and innocent else 0.0

    @property
    def average_precision(self) -> float:
        """Mean of the precision at each copy, from the highest score down; ties at their worst."""
        ranked = sorted([(-s, 1) for s in self.positives] + [(-s, 0) for _, s in self.innocent_pairs])
        found, total = 0, 0.0
        for place, (_, is_copy) in enumerate(ranked, start=1):
            found += is_copy
            total += is_copy * found / place
        return total / found if found else 0.0

    def half(self, number: int) -> Figures:
        """Those whose name falls into one of two halves."""
        return Figures(
            {level: _half(scored, number) for level, scored in self.copies.items()},
            _half(self.innocent_pairs, number),
            _half(self.innocent_authors, number),
        )

    def add(self, other: Figures) -> None:
        """Count another assignment in."""
        for level, scored in other.copies.items():
            self.copies.setdefault(level, []).extend(scored)
        self.innocent_pairs += other.innocent_pairs
        self.innocent_authors += other.innocent_authors


class Class:
    """An assignment in a database of its own."""

    def __init__(self, path: str = "") -> None:
        engine = create_engine(f"sqlite:///{path}")
        Base.metadata.create_all(engine, tables=TABLES)
        self.session = Session(engine)
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The author's number, and that of the one submission."""
        return self.numbers.setdefault(name, len(self.numbers) + 1)

    def hand_in(self, name: str, prints: Prints) -> SimilarityResult:
        """Check one author's submission."""
        number = self.number(name)
        return store_and_compare(
            self.session, prints, submission_id=number, assignment_id=1, author_id=number
        )

    def take(self, name: str, prints: Prints) -> None:
        """Only store one author's submission."""
        number = self.number(name)
        store_prints(self.session, prints, submission_id=number, assignment_id=1, author_id=number)

    def score(self, result: SimilarityResult, other: str) -> int:
        """A result's score against one other author."""
        number = self.numbers[other]
        return next((match.score for match in result.matches if match.submission_id == number), 0)

    def scores(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """All compared at once, and the wanted pairs whatever they share."""
        pairs = [(self.numbers[one], self.numbers[two]) for one, two in wanted]
        notable: dict[int, set[int]] = {}
        for one, two in pairs:
            notable.setdefault(one, set()).add(two)
        found = {
            (finding.submission_id, comparison.submission_id): float(comparison.score.value)
            for finding in compare_all(documents(self.session, self.numbers.values()), notable)
            for comparison in finding.comparisons
        }
        names = {number: name for name, number in self.numbers.items()}
        return {(names[one], names[two]): score for (one, two), score in found.items()}


def measure(case: Case) -> Figures:
    """Measure one assignment as its layout asks for."""
    if case.labels:
        return measure_pairs(case)
    return measure_prose(case) if case.kind == "prose" else measure_copies(case)


def measure_pairs(case: Case) -> Figures:
    """All works are one class; the labelled pairs are judged."""
    room = Class()
    for name, files in case.works.items():
        room.take(name, fingerprint(files, kind=case.kind))
    return _of_labels(case, room.scores(case.labels))


def measure_copies(case: Case) -> Figures:
    """Hand in the innocent works, compare them all, then each copy alone, as the last of the class."""
    figures, room = Figures(), Class()
    for name, files in case.works.items():
        room.take(name, fingerprint(files, kind=case.kind))
    for findings in compare_class(room.session, 1):
        keep_all(room.session, findings)
    innocent = room.scores(itertools.combinations(case.works, 2))
    _count_innocents(case, figures, innocent)
    room.session.commit()
    for number, (level, original, files) in enumerate(case.copies):
        result = room.hand_in(f"copy {number}", fingerprint(files, kind=case.kind))
        key = original if original not in case.sources else f"copy {number}"
        figures.copies.setdefault(level, []).append((key, room.score(result, original)))
        room.session.rollback()
    return figures


def measure_prose(case: Case) -> Figures:
    """Hand in all texts, copied or not, as one class; judge each against the source."""
    room = Class()
    levels = {f"{level}:{number}": files for number, (level, _, files) in enumerate(case.copies)}
    for name, files in (case.works | levels).items():
        room.take(name, fingerprint(files, kind="prose"))
    source = next(iter(case.sources))
    names = [name for name in room.numbers if name not in case.sources]
    scores = room.scores([(name, source) for name in names])
    figures = Figures()
    for name in names:
        score = scores[(name, source)]
        level, colon, _ = name.partition(":")
        if colon:
            figures.copies.setdefault(level, []).append((name, score))
        else:
            figures.innocent_pairs.append((name, score))
            others = [scores.get((name, other), 0.0) for other in case.works if other != name]
            figures.innocent_authors.append((name, max(others)))
    return figures


def measure_peer(case: Case, judge: Callable[[Mapping[str, Files]], dict[tuple[str, str], float]]) -> Figures:
    """Judge the same pairs by another tool, which sees no class."""
    copies = {f"copy {number}": files for number, (_, _, files) in enumerate(case.copies)}
    scores = judge(case.works | copies)
    if case.labels:
        return _of_labels(case, scores)
    figures = Figures()
    _count_innocents(case, figures, scores)
    for number, (level, original, _) in enumerate(case.copies):
        name = f"copy {number}"
        key = original if original not in case.sources else name
        scored = (key, scores.get((min(name, original), max(name, original)), 0.0))
        figures.copies.setdefault(level, []).append(scored)
    return figures


def _of_labels(case: Case, scores: dict[tuple[str, str], float]) -> Figures:
    figures = Figures()
    for pair, is_copy in case.labels.items():
        scored = (" ".join(pair), scores.get(pair, 0.0))
        if is_copy:
            figures.copies.setdefault("copies", []).append(scored)
        else:
            figures.innocent_pairs.append(scored)
    return figures


def _count_innocents(case: Case, figures: Figures, scores: dict[tuple[str, str], float]) -> None:
    students = [name for name in case.works if name not in case.sources]
    for name in students:
        others = {other: _either(scores, name, other) for other in case.works if other != name}
        figures.innocent_authors.append((name, max(others.values(), default=0.0)))
        against = case.sources or {other for other in students if other > name}
        figures.innocent_pairs += [(name, others[other]) for other in sorted(against)]


def _either(scores: dict[tuple[str, str], float], one: str, two: str) -> float:
    return max(scores.get((one, two), 0.0), scores.get((two, one), 0.0))


def _half(scored: list[Scored], number: int) -> list[Scored]:
    return [it for it in scored if crc32(it[0].encode()) % 2 == number]


def show(name: str, figures: Figures) -> None:
    """Print one line of the table."""
    recall = " ".join(f"{level} {_share(scored):.2f}" for level, scored in figures.copies.items() if scored)
    everything = [scored for of in figures.copies.values() for scored in of]
    flagged = sum(score >= FLAG_AT for _, score in figures.innocent_authors)
    print(
        f"{name:34} AUC {figures.auc:.3f}  AP {figures.average_precision:.3f}  "
        f"recall {_share(everything):.2f} ({recall})  false flags: "
        f"pairs {_share(figures.innocent_pairs):.3f}, authors {flagged}/{len(figures.innocent_authors)}"
    )


def _share(scored: list[Scored]) -> float:
    return sum(score >= FLAG_AT for _, score in scored) / len(scored) if scored else 0.0


def timing(count: int, path: str) -> None:
    """Print the CPU time of the first and last hundred, all mixed from a few sources: the worst case.

    Those between are only stored.
    """
    dice = random.Random(1)  # noqa: S311 - the same class every time
    sources = [[_line(dice) for _ in range(60)] for _ in range(75)]
    room, timed = Class(path), min(100, count // 2)
    spent: dict[str, list[list[float]]] = {"first": [], "last": []}
    for number in range(1, count + 1):
        lines = [dice.choice(pair) for pair in zip(*dice.sample(sources, 2), strict=True)]
        content = "\n".join(lines).encode()
        if timed < number <= count - timed:
            room.take(f"s{number}", fingerprint({"a.py": content}))
        else:
            spent["first" if number <= timed else "last"].append(_timed(room, number, content))
    for title, part in spent.items():
        steps = [statistics.median(values) * 1000 for values in zip(*part, strict=True)]
        words = zip(("fingerprint", "store", "look up", "keep"), steps, strict=True)
        print(
            f"{title:6}",
            "  ".join(f"{word} {step:.1f} ms" for word, step in words),
            f" all {sum(steps):.1f} ms",
        )


def _timed(room: Class, number: int, content: bytes) -> list[float]:
    clock = [time.process_time()]
    found = fingerprint({"a.py": content})
    clock.append(time.process_time())
    room.take(f"s{number}", found)
    room.session.commit()
    clock.append(time.process_time())
    finding = compare(room.session, number)
    clock.append(time.process_time())
    keep(room.session, [finding] if finding else [])
    room.session.commit()
    return [after - before for before, after in itertools.pairwise([*clock, time.process_time()])]


def whole_class(size: int) -> None:
    """Print the CPU time of comparing a class at once."""
    dice = random.Random(2)  # noqa: S311 - the same class every time
    sources = [[_line(dice) for _ in range(60)] for _ in range(size // 2)]
    room = Class()
    for number in range(size):
        lines = [dice.choice(pair) for pair in zip(*dice.sample(sources, 2), strict=True)]
        room.take(f"s{number}", fingerprint({"a.py": "\n".join(lines).encode()}))
    room.session.commit()
    begun = time.process_time()
    found = [finding for findings in compare_class(room.session, 1) for finding in findings]
    print(f"a class of {len(found)} compared at once: {time.process_time() - begun:.2f} s")


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


def compare_folders(folders: list[Path], *, is_halved: bool, judges: Mapping[str, Any]) -> None:
    """Print the figures of all sets, each tool's for itself."""
    for title, judge in {"": None, **judges}.items():
        total = Figures()
        for case in itertools.chain.from_iterable(map(cases_in, folders)):
            if judge is not None and case.kind == "prose":
                continue
            figures = measure(case) if judge is None else measure_peer(case, judge)
            show(f"{title} {case.name}".strip(), figures)
            for number in range(2 if is_halved else 0):
                show(f"  half {number + 1}", figures.half(number))
            total.add(figures)
        show(f"{title} all".strip(), total)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--halves", action="store_true", help="print both halves of each set too")
    parser.add_argument("--peers", action="store_true", help="print other tools that are installed")
    parser.add_argument("--node-modules", type=Path, metavar="PATH", help="where Dolos's library is")
    parser.add_argument("--timing", type=int, default=0, metavar="N", help="time N submissions")
    parser.add_argument("--class-of", type=int, default=0, metavar="N", help="time a class compared at once")
    parser.add_argument("--database", default="", metavar="PATH", help="file for --timing (else memory)")
    given = parser.parse_args()
    judges = peers(given.node_modules) if given.peers else {}
    if given.folders:
        compare_folders(given.folders, is_halved=given.halves, judges=judges)
    if given.timing:
        timing(given.timing, given.database)
    if given.class_of:
        whole_class(given.class_of)


if __name__ == "__main__":
    main()
