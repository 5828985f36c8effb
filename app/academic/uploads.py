"""What a student may send: the checks that need neither a parser nor the student's code.

A name is text to show and never a path. Content is looked at as bytes only: parsing and
running belong to the grading job and its sandbox.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

NAME_LIMIT: Final = 255

# Overrides, isolates and marks that make a name read other than it is.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# PEP 263, for the first two lines.
_CODING_LINE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_UTF8_NAMES = frozenset({b"utf-8", b"utf8", b"utf-8-sig"})
_LINE_END = re.compile(rb"\r\n|\r|\n")

# What begins so is no source text, whatever its name says.
_SIGNATURES: Final = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)

# Documents that are no text: how they begin.
BINARY: Final = {
    ".pdf": b"%PDF-",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".docx": b"PK\x03\x04",
    ".odt": b"PK\x03\x04",
    ".xlsx": b"PK\x03\x04",
}


class UploadRejected(ValueError):
    """A file cannot be taken; the message says what is wrong with it and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that passed the checks."""

    name: str
    content: bytes
    # The name it is graded under; None: the only one that the assignment asks for.
    submit_as: str | None = None

    @property
    def sha256(self) -> str:
        """The hash that the receipt names."""
        return hashlib.sha256(self.content).hexdigest()


def check_upload(name: str, content: bytes, *, max_bytes: int, expected: str = "solution.py") -> Upload:
    """Give the upload back as it will be kept, or raise `UploadRejected` with one sentence."""
    suffix = suffix_of(expected)
    problem = _name_problem(name) or _extension_problem(name, suffix)
    if problem:
        what = "a Python file" if suffix == ".py" else f"a {suffix} file"
        raise UploadRejected(f"File name: {problem}. Expected {what} such as {expected}.")
    _check_size(content, max_bytes)
    if suffix in BINARY:
        _check_signature(content, suffix)
    else:
        _check_kind(content, suffix)
        _check_encoding(content, suffix)
    return Upload(name=name, content=content)


def suffix_of(name: str) -> str:
    """Give the extension in small letters, with its dot."""
    return PurePosixPath(name).suffix.lower()


def hidden_characters(name: str) -> bool:
    """Whether a name holds what cannot be seen or makes it read other than it is."""
    return bool(_CONTROL.search(name) or _BIDI.intersection(name))


def _name_problem(name: str) -> str:
    if not name:
        return "no file was chosen"
    if len(name.encode("utf-8", "replace")) > NAME_LIMIT:
        return f"it is longer than {NAME_LIMIT} bytes"
    if _CONTROL.search(name):
        return "it contains control characters"
    if _BIDI.intersection(name):
        return "it contains characters that change the direction of writing"
    return _path_problem(name)


def _path_problem(name: str) -> str:
    if "\\" in name or re.match(r"[A-Za-z]:", name):
        return "it is a Windows path, send the bare file name"
    parts = name.split("/")
    if len(parts) > 1 and {"", ".", ".."}.intersection(parts):
        return "it is a path, send the bare file name"
    if parts[-1].startswith("."):
        return "it begins with a dot"
    return ""


def _extension_problem(name: str, suffix: str) -> str:
    if name != name.strip() or name.endswith("."):
        return "it ends with a space or a dot"
    if name.lower().endswith(suffix):
        return ""
    if name.lower().endswith(".ipynb"):
        return "it is a notebook, export it as a Python file first"
    if name.lower().endswith((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")):
        return "it is an archive that is not read here, send the files themselves or a .zip"
    return f"it does not end in {suffix}"


def _check_size(content: bytes, max_bytes: int) -> None:
    if len(content) > max_bytes:
        raise UploadRejected(f"File: it is larger than the {max_bytes:,} bytes this assignment takes.")
    if not content.strip():
        raise UploadRejected("File: it is empty. Expected the text of your work.")


def _check_signature(content: bytes, suffix: str) -> None:
    if not content.startswith(BINARY[suffix]):
        raise UploadRejected(f"File: its content is not that of a {suffix} file.")


def _check_kind(content: bytes, suffix: str) -> None:
    expected = "Expected Python source text in UTF-8." if suffix == ".py" else "Expected text in UTF-8."
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            raise UploadRejected(f"File: it is {kind}. {expected}")
    # A compiled module: the version's magic number, then CR LF.
    if content[2:4] == b"\r\n" and not content[:2].isascii():
        raise UploadRejected(f"File: it is a compiled module (.pyc). {expected}")
    if suffix == ".py" and content.lstrip().startswith(b"{") and b'"nbformat"' in content:
        raise UploadRejected("File: it is a Jupyter notebook. Export it as a Python file and send that.")


def _check_encoding(content: bytes, suffix: str) -> None:
    if b"\x00" in content:
        line = _line_of(content, content.index(b"\x00"))
        raise UploadRejected(f"File: line {line} contains a NUL byte. Expected text in UTF-8.")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line_of(content, error.start)
        raise UploadRejected(
            f"File: line {line} is not UTF-8. Save the file as UTF-8 and send it again."
        ) from error
    if suffix != ".py":
        return
    for line, text in enumerate(_LINE_END.split(content, maxsplit=2)[:2], start=1):
        _check_coding_line(line, text.removeprefix(b"\xef\xbb\xbf"))


def _check_coding_line(line: int, text: bytes) -> None:
    match = _CODING_LINE.match(text)
    if match and match[1].lower().replace(b"_", b"-") not in _UTF8_NAMES:
        declared = match[1][:40].decode("ascii", "replace")
        raise UploadRejected(
            f"File: line {line} declares the encoding {declared}. Only UTF-8 is taken: remove that line."
        )


def _line_of(content: bytes, position: int) -> int:
    return len(_LINE_END.findall(content, 0, position)) + 1
