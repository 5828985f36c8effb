"""Two attempts of a student beside each other: what changed in the files, and in the tests."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

from app.academic.source import source_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from app.academic.models import Submission
    from app.academic.results import ShownResult, ShownTest

# Beyond this a comparison would take longer than a person waits.
MOST_LINES: Final = 4_000
_CONTEXT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line of a comparison; a gap has neither number."""

    # same, removed, added or gap
    kind: str
    before: int | None = None
    after: int | None = None
    markup: Markup | str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What changed in one file."""

    name: str
    lines: tuple[DiffLine, ...]
    # Why there are no lines, in a sentence; empty where there are.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPair:
    """A test that ended otherwise; None where there was none."""

    __test__ = False

    title: str
    before: ShownTest | None
    after: ShownTest | None


def file_diffs(before: Submission, after: Submission) -> list[FileDiff]:
    """Compare the files of two attempts, by the names they are graded under."""
    old, new = _contents(before), _contents(after)
    return [
        _diff(name, old.get(name), new.get(name)) for name in [*new, *(it for it in old if it not in new)]
    ]


def test_pairs(before: ShownResult | None, after: ShownResult | None) -> list[TestPair]:
    """The tests that the reader may see and that ended otherwise."""
    old, new = _tests(before), _tests(after)
    return [
        TestPair(title=title, before=old.get(title), after=new.get(title))
        for title in [*new, *(title for title in old if title not in new)]
        if _ending(old.get(title)) != _ending(new.get(title))
    ]


def _contents(submission: Submission) -> dict[str, bytes]:
    only = submission.assignment.submit_name
    return {
        file.submit_as or (only if len(submission.files) == 1 else file.name): file.content
        for file in submission.files
    }


def _diff(name: str, before: bytes | None, after: bytes | None) -> FileDiff:
    if before == after:
        return FileDiff(name=name, lines=(), note="Not changed, byte for byte.")
    old = source_lines(before)[0] if before is not None else []
    new = source_lines(after)[0] if after is not None else []
    if max(len(old), len(new)) > MOST_LINES:
        return FileDiff(
            name=name, lines=(), note=f"More than {MOST_LINES:,} lines: too long to compare here."
        )
    lines = tuple(_lines(old, new))
    note = "" if lines else "Only white space at line ends, or what is too long to show, has changed."
    return FileDiff(name=name, lines=lines, note=note)


def _lines(old: Sequence[Markup], new: Sequence[Markup]) -> Iterator[DiffLine]:
    matcher = SequenceMatcher(None, list(map(str, old)), list(map(str, new)))
    for place, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if place:
            yield DiffLine(kind="gap")
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                for offset, line in enumerate(old[start:end]):
                    before, after = start + offset + 1, new_start + offset + 1
                    yield DiffLine(kind="same", before=before, after=after, markup=line)
                continue
            for number, line in enumerate(old[start:end], start=start + 1):
                yield DiffLine(kind="removed", before=number, markup=line)
            for number, line in enumerate(new[new_start:new_end], start=new_start + 1):
                yield DiffLine(kind="added", after=number, markup=line)


def _tests(result: ShownResult | None) -> dict[str, ShownTest]:
    if result is None:
        return {}
    return {test.title: test for test in result.tests if test.max_points is not None}


def _ending(test: ShownTest | None) -> tuple[object, ...] | None:
    return None if test is None else (test.state, test.word, test.points)
