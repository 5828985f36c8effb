"""What would bring the student's code into the trusted process, refused in words where a test asks for it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from app.academic.grading import lending

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_MODULES = frozenset({"collections", "datetime", "decimal", "fractions", "uuid", "copyreg"})
_PLAIN_BUILTINS = frozenset({"set", "frozenset", "complex", "bytearray", "range", "slice", "object"})
_INSTEAD = "the tests are isolated from it; use a part of type io-cases, or mode: same-process"


class Guard:
    """An audit hook of the tests' process."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = tuple(files)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse what must not happen, by raising."""
        if event == "pickle.find_class":
            self._check_pickle(str(arguments[0]), str(arguments[1]))
        elif event == "subprocess.Popen":
            self._check_command(arguments[1])
        elif event == "open":
            self._check_open(arguments[0])

    def _check_pickle(self, module: str, name: str) -> None:
        """Let no pickle bring a function: a test may read a file that the student's code wrote."""
        if module == "builtins":
            is_plain = name in _PLAIN_BUILTINS
        else:
            found = getattr(sys.modules.get(module), name, None)
            is_plain = module in _PLAIN_MODULES or lending.is_of_tests(found)
        if not is_plain:
            raise PermissionError(f"a pickle that needs {module}.{name} is not read outside of the sandbox")

    def _check_command(self, command: Any) -> None:
        words = [command] if isinstance(command, (str, bytes)) else list(command)
        for word in words:
            text = os.fsdecode(word) if isinstance(word, (str, bytes, os.PathLike)) else ""
            if any(text == file or text.endswith((f"/{file}", f" {file}")) for file in self._files):
                raise PermissionError(f"the student's {text} cannot be started by a test: {_INSTEAD}")

    def _check_open(self, path: Any) -> None:
        if not isinstance(path, (str, os.PathLike)):
            return
        text = os.fspath(path)
        is_theirs = isinstance(text, str) and any(
            text == file or text.endswith(f"/{file}") for file in self._files
        )
        if is_theirs and not os.path.exists(text):  # noqa: PTH110 - asked at every open
            said = f"the student's file is not beside the tests ({_INSTEAD}; inspect.getsource reads it)"
            raise FileNotFoundError(2, said, text)
