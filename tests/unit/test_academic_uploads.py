"""What a student may send, by name and by content; nothing of it is parsed or run."""

from __future__ import annotations

import json

import pytest

from app.academic.submissions import digest_of
from app.academic.uploads import Upload, UploadRejected, check_upload

GOOD = b"def add(a, b):\n    return a + b\n"
LIMIT = 1 << 20

REJECTED_NAMES = {
    "../../../../tmp/hostile_canary.py": "path",
    "/etc/cron.d/hostile_canary": "path",
    "..\\..\\hostile_canary.py": "Windows path",
    "C:\\Windows\\solution.py": "Windows path",
    "C:solution.py": "Windows path",
    "-rf": ".py",
    "solution\n.py": "control",
    "solution\r\nX-Evil: 1.py": "control",
    "sol\x00ution.py": "control",
    "\u202eyp.noitulos": "direction",
    "solution\u2028.py": "control",
    "solution\ud800.py": "control",
    "a" * 5000 + ".py": "255 bytes",
    "é" * 127 + ".py": "255 bytes",
    "": "no file",
    ".py": "dot",
    ".env": "dot",
    "..": "dot",
    "work/.hidden.py": "dot",
    "solution.py.exe": ".py",
    "solution.py ": "space or a dot",
    "solution.py.": "space or a dot",
    "solution.ipynb": "notebook",
    "solution.zip": "archive",
}
ACCEPTED_NAMES = [
    "--help.py",
    "solu\u200btion.py",
    "решение-作业.py",
    "so\u0301lution.py",
    "a" * 252 + ".py",
    "CON.py",
    "solution.PY",
    "<img src=x onerror=alert(1)>.py",
    "=cmd|'/C calc'!A0.py",
    "{{7*7}}.py",
    "%2e%2e%2fsolution.py",
    "$(touch hostile_canary).py",
    "'; DROP TABLE submission; --.py",
    "json.py",
    "conftest.py",
    "__main__.py",
]
REJECTED_CONTENTS = {
    "nothing": (b"", "empty"),
    "only white space": (b" \n\t\n", "empty"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "UTF-16"),
    "Latin-1": (b"# one\r\n# \xe9\n" + GOOD, "line 2 is not UTF-8"),
    "Latin-1 declared": (b"# -*- coding: latin-1 -*-\n" + GOOD, "encoding latin-1"),
    "UTF-7": (b"# -*- coding: utf-7 -*-\n# +AAo-import os\n", "encoding utf-7"),
    "unicode_escape": (b"# -*- coding: unicode_escape -*-\n# \\nprint(1)\n", "encoding unicode_escape"),
    "rot13": (b"# coding: rot13\nvzcbeg bf\n", "encoding rot13"),
    "second line": (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n", "line 2 declares"),
    "after CR": (b"# one\r# coding=utf-7\r", "line 2 declares"),
    "after a form feed": (b"\x0c # coding: utf-7\n", "line 1 declares"),
    "after a byte order mark": (b"\xef\xbb\xbf# coding: latin-1\n", "line 1 declares"),
    "NUL": (GOOD[:20] + b"\x00" + GOOD[20:], "NUL"),
    "notebook": (json.dumps({"nbformat": 4, "cells": []}).encode(), "notebook"),
    "bytecode": (b"\xcb\x0d\x0d\x0a" + b"\x00" * 12, "compiled"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), "picture"),
    "program": (b"\x7fELF\x02\x01\x01" + bytes(200), "program"),
    "zip": (b"PK\x03\x04" + bytes(30), "zip archive"),
    "too large": (b"#" * LIMIT + b"\n", "larger than the 1,048,576 bytes"),
}
ACCEPTED_CONTENTS = {
    "CRLF": GOOD.replace(b"\n", b"\r\n"),
    "CR": GOOD.replace(b"\n", b"\r"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-8 declared": b"# -*- coding: utf-8 -*-\n" + GOOD,
    "UTF8 declared for vim": b"#!/bin/python\n# vim: set fileencoding=UTF_8 :\n" + GOOD,
    "coding in the third line": b"#\n#\n# coding: latin-1\n" + GOOD,
    "bidi controls in the text": "x = 'a' #\u202e } \u2066if admin\u2069\n".encode() + GOOD,
    "control characters": b"# \x1b]0;owned\x07\x1b[2J\n" + GOOD,
    "one long line": b"X = '" + b"x" * 900_000 + b"'\n",
    "many lines": b"pass\n" * 150_000,
    "deep parentheses": b"(" * 5000 + b")" * 5000 + b"\n",
    "markup": b"<script>alert(1)</script>\n",
    "exactly the limit": b"#" * LIMIT,
}


@pytest.mark.parametrize(("name", "reason"), REJECTED_NAMES.items(), ids=ascii)
def test_a_name_that_misleads_is_refused(name: str, reason: str) -> None:
    """Paths, control characters, other extensions: the sentence names field, fault and what to send."""
    with pytest.raises(UploadRejected) as refused:
        check_upload(name, GOOD, max_bytes=LIMIT)
    assert str(refused.value).startswith("File name: ")
    assert reason in str(refused.value)
    assert str(refused.value).endswith("Expected a Python file such as solution.py.")


@pytest.mark.parametrize("name", ACCEPTED_NAMES, ids=ascii)
def test_an_odd_name_is_kept_as_text(name: str) -> None:
    """A name that is merely odd is stored letter by letter."""
    assert name == check_upload(name, GOOD, max_bytes=LIMIT).name


@pytest.mark.parametrize("kind", REJECTED_CONTENTS)
def test_content_that_is_no_source_text_is_refused(kind: str) -> None:
    """Binary files, other encodings, hidden code, nothing, too much: each has its own sentence."""
    content, reason = REJECTED_CONTENTS[kind]
    with pytest.raises(UploadRejected) as refused:
        check_upload("solution.py", content, max_bytes=LIMIT)
    assert str(refused.value).startswith("File: ")
    assert reason in str(refused.value)


@pytest.mark.parametrize("kind", ACCEPTED_CONTENTS)
def test_unusual_source_text_is_kept_byte_for_byte(kind: str) -> None:
    """What only a parser could judge is taken: the web process does not parse."""
    content = ACCEPTED_CONTENTS[kind]
    assert content == check_upload("solution.py", content, max_bytes=LIMIT).content


def test_the_receipt_names_the_files_own_hash() -> None:
    """A student can check the receipt with sha256sum; the name plays no part in it."""
    one, other = Upload(name="a.py", content=b"x"), Upload(name="b.py", content=b"x")
    assert "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" == digest_of([one])
    assert digest_of([one]) == digest_of([other])
    assert digest_of([one, other]) == digest_of([other, one])
