"""Archives that people send: one bad entry refuses the whole, and nothing is believed uncounted."""

from __future__ import annotations

import pytest

from app.academic.archives import HAND_IN, read_zip, without_top_folder
from app.academic.receiving import received
from app.academic.uploads import UploadRejected
from tests.zips import LINK, SETUID, Raw, raw_zip, zeros, zipped

GOOD = b"def add(a, b):\n    return a + b\n"
SOLUTION = Raw(name=b"solution.py", content=GOOD)
MIB = 1 << 20


def test_an_ordinary_archive_is_read() -> None:
    """What systems put in by themselves is not there; modes of the archive mean nothing."""
    packed = zipped(("work/solution.py", GOOD), ("__MACOSX/._solution.py", b"x"), ("work/.DS_Store", b"x"))
    assert {"work/solution.py": GOOD} == read_zip(packed, HAND_IN)
    assert {"solution.py": GOOD} == read_zip(zipped(("solution.py", GOOD), mode=SETUID), HAND_IN)


REFUSED = {
    "slip": (zipped(("../../../tmp/x.py", b"x"), ("solution.py", GOOD)), "leads out"),
    "inner slip": (zipped(("a/../../x.py", b"x")), "leads out"),
    "absolute": (zipped(("/tmp/x.py", b"x")), "leads out"),
    "windows": (zipped(("..\\..\\x.py", b"x")), "Windows path"),
    "drive": (zipped(("C:x.py", b"x")), "Windows path"),
    "nul": (raw_zip([Raw(name=b"solution.py\0.txt", content=GOOD)]), "control characters"),
    "newline": (zipped(("a\nb.py", b"x")), "control characters"),
    "override": (zipped(("\u202eyp.x", b"x")), "control characters"),
    "option": (zipped(("-rf", b"x")), "hyphen"),
    "long": (zipped(("d/" * 600 + "x.py", b"x")), "longer than 255"),
    "deep": (zipped(("d/" * 20 + "x.py", b"x")), "folders deep"),
    "link": (zipped(("solution.py", b"/etc/passwd"), mode=LINK), "a link or a device"),
    "twice": (raw_zip([SOLUTION, SOLUTION]), "is there twice"),
    "case": (zipped(("Solution.py", b"x"), ("solution.py", GOOD)), "but for case"),
    "composed": (zipped(("o\u0301.py", b"x"), ("\u00f3.py", GOOD)), "but for case"),
    "file and folder": (zipped(("a.py", b"x"), ("a.py/b.py", b"x")), "what is a file there"),
    "nested": (zipped(("inner.zip", zipped(("solution.py", GOOD)))), "archive in the archive"),
    "nested, renamed": (zipped(("inner.py", zipped(("solution.py", GOOD)))), "archive in the archive"),
    "many": (zipped(*((f"e{count}.py", b"") for count in range(51))), "51 entries; at most 50"),
    "encrypted": (raw_zip([Raw(name=b"solution.py", content=GOOD, flags=1)]), "encrypted"),
    "method": (raw_zip([Raw(name=b"solution.py", content=GOOD, method=99)]), "unusual way"),
    "checksum": (raw_zip([Raw(name=b"solution.py", content=GOOD, crc=12345)]), "damaged"),
    "truncated": (zipped(("solution.py", GOOD))[:-30], "damaged"),
    "empty": (zipped(), "no file in it"),
    "prefixed": (b"GIF89a" + zipped(("solution.py", GOOD)), "does not begin as"),
    "claims 4 GiB": (
        raw_zip([Raw(name=b"solution.py", content=GOOD, claimed=0xFFFFFFFE)]),
        "larger than 20 MiB",
    ),
    "claims less": (raw_zip([Raw(name=b"solution.py", content=GOOD, claimed=len(GOOD) + 9)]), "another size"),
    "shared bytes": (raw_zip([SOLUTION], [0, 0]), "shares its bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_trick_is_refused_with_its_reason(case: str) -> None:
    """Paths, links, doubles, archives inside, damage: the message says which and what was expected."""
    content, reason = REFUSED[case]
    with pytest.raises(UploadRejected, match=reason):
        read_zip(content, HAND_IN)


@pytest.mark.parametrize("claimed", [None, 10])
def test_a_bomb_is_refused_while_it_is_read(claimed: int | None) -> None:
    """Sizes are counted, not believed: 8 MiB of zeros in a few kilobytes, whatever the directory says."""
    bomb = zeros(8 * MIB)
    lying = Raw(name=bomb.name, content=bomb.content, method=8, crc=bomb.crc, size=bomb.size, claimed=claimed)
    with pytest.raises(UploadRejected, match=r"unpacks to more than 100 times|damaged"):
        read_zip(raw_zip([lying]), HAND_IN)


def test_one_folder_around_everything_is_taken_off() -> None:
    """Unless it means something where it is."""
    assert ("work", {"a.py": b"x"}) == without_top_folder({"work/a.py": b"x"})
    assert ("", {"tests/a.py": b"x"}) == without_top_folder({"tests/a.py": b"x"}, {"tests"})
    assert ("", {"a/b": b"", "c": b""}) == without_top_folder({"a/b": b"", "c": b""})


def test_an_archive_gives_the_files_that_were_asked_for() -> None:
    """At any depth; what nobody asked for is left out and named."""
    packed = zipped(("work/a.py", GOOD), ("work/lib/b.py", b"B = 1\n"), ("work/conftest.py", b"x"))
    found = received([("work.zip", packed)], ["a.py", "lib/b.py"], max_bytes=1000)
    assert [("a.py", "a.py"), ("lib/b.py", "lib/b.py")] == [(it.submit_as, it.name) for it in found.uploads]
    assert ("conftest.py",) == found.left_out


def test_a_single_file_may_have_any_name_in_an_archive_too() -> None:
    """If there is only one of its kind."""
    found = received([("w.zip", zipped(("mine.py", GOOD), ("a.txt", b"x")))], ["solution.py"], max_bytes=999)
    assert [("mine.py", GOOD)] == [(it.name, it.content) for it in found.uploads]


def test_several_files_are_matched_by_name() -> None:
    """Text beside code, each checked as what it is."""
    sent = [("notes.txt", b"na\xc3\xafve\n"), ("solution.py", GOOD)]
    found = received(sent, ["solution.py", "notes.txt"], max_bytes=1000)
    assert ["solution.py", "notes.txt"] == [it.submit_as for it in found.uploads]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([("a.py", GOOD)], "b.py is missing. Expected a.py and b.py"),
        ([("a.py", GOOD), ("B.py", GOOD)], r"b.py is missing.*B.py differs in case"),
        ([("a.py", GOOD), ("b.py", GOOD), ("c.py", GOOD)], "c.py was not asked for"),
        ([("a.py", GOOD), ("a.py", GOOD)], "a.py came twice"),
        ([("a.py", GOOD), ("b.py", b"x = '\xff'\n")], "b.py: File: line 1 is not UTF-8"),
        ([("a.py", GOOD), ("b.py", b"#" * 1000)], "bytes together; at most 500"),
        ([("a.py", GOOD), ("w.zip", zipped(("b.py", GOOD)))], "an archive came with other files"),
        ([("w.zip", zipped(("c.py", GOOD), ("a.py", GOOD)))], "b.py is missing"),
    ],
)
def test_what_does_not_fit_is_said(sent: list[tuple[str, bytes]], reason: str) -> None:
    """Missing, extra, doubled or broken files: the student reads which one."""
    with pytest.raises(UploadRejected, match=reason):
        received(sent, ["a.py", "b.py"], max_bytes=500)


def test_an_archive_for_another_name_says_what_is_missing() -> None:
    """Two candidates are no answer to which one is meant."""
    with pytest.raises(UploadRejected, match=r"solution.py is missing"):
        received([("w.zip", zipped(("a.py", GOOD), ("b.py", GOOD)))], ["solution.py"], max_bytes=500)


def test_a_document_is_known_by_how_it_begins() -> None:
    """A report in PDF is taken as it is; a text with that name is not."""
    pdf = b"%PDF-1.7\n\xff\x00"
    assert pdf == received([("my report.pdf", pdf)], ["report.pdf"], max_bytes=99).uploads[0].content
    with pytest.raises(UploadRejected, match=r"not that of a .pdf"):
        received([("report.pdf", b"hello")], ["report.pdf"], max_bytes=99)
