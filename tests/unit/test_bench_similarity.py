"""The bench of the similarity check: it reads labelled sets as they come, and its figures are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.similarity import Figures, measure
from bench.similarity_sets import cases_in

WORDS = Path(__file__).parents[1] / "data" / "similarity" / "python" / "words"


def put(folder: Path, files: dict[str, str]) -> None:
    """Write files by their path."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_figures_are_what_their_names_say() -> None:
    """One copy above all innocents and one among them: the numbers can be done by hand."""
    figures = Figures({"L1": [("a", 90), ("b", 30)]}, [("c", 10), ("d", 40)], [("c", 60.0)])
    assert 0.75 == figures.auc
    assert (1 + 2 / 3) / 2 == pytest.approx(figures.average_precision)
    halves = [figures.half(0), figures.half(1)]
    assert 2 == sum(len(half.positives) for half in halves)
    assert 2 == sum(len(half.innocent_pairs) for half in halves)


@pytest.mark.parametrize("header", ["a,b,copied,group", "sub1,sub2,verdict,problem"])
def test_a_list_of_pairs_is_read_and_measured(tmp_path: Path, header: str) -> None:
    """Works are files or folders of any place below; a group is a class of its own."""
    sources = [path.read_text() for path in sorted(WORDS.glob("*.txt"))]
    rows = [header]
    for number, source in enumerate(sources):
        put(tmp_path, {f"works/w{number}.py": source})
        rows.append(f"w{number},w{(number + 1) % len(sources)},0,one")
    put(tmp_path, {"works/copy/main.py": sources[0].replace("text", "speech")})
    put(tmp_path, {"pairs.csv": "\n".join([*rows, "w0,copy,1,one", "w1,w2,no,two"])})
    cases = list(cases_in(tmp_path))
    assert ["one", "two"] == [case.name.split()[-1] for case in cases]
    figures = measure(cases[0])
    assert (1.0, 1.0) == (figures.auc, figures.average_precision)
    assert min(figures.positives) >= 50


def test_a_work_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says which of the names on the list leads nowhere."""
    put(tmp_path, {"pairs.csv": "a,b,copied\nx,y,1\n"})
    with pytest.raises(SystemExit, match="no file or folder 'x'"):
        list(cases_in(tmp_path))


def test_programs_with_copies_are_read(tmp_path: Path) -> None:
    """Originals, independent ones and copies by level, as such sets come."""
    put(
        tmp_path,
        {
            "case-01/original/A.java": "class A { int x = 1; }",
            "case-01/non-plagiarized/01/B.java": "class B { void f() { } }",
            "case-01/plagiarized/L1/01/A.java": "class A { int y = 1; }",
        },
    )
    [case] = cases_in(tmp_path)
    assert ({"original", "01"}, ["L1"]) == (set(case.works), [level for level, _, _ in case.copies])
    assert {"original"} == case.sources


def test_a_class_gets_copies_of_what_python_can_read(tmp_path: Path) -> None:
    """A solution that does not parse stays in the class, uncopied."""
    put(tmp_path, {"one.py": "def f(a):\n    return a\n", "two.py": "def f(:\n"})
    [case] = cases_in(tmp_path)
    assert {"one.py", "two.py"} == set(case.works)
    assert {"one.py"} == {original for _, original, _ in case.copies}
