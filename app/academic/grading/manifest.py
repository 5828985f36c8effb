"""Reading assignment.yaml: every value with its line, every problem kept until all are known."""

from __future__ import annotations

import difflib
import math
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import yaml

from app.academic.grading.errors import AssignmentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LARGEST = 256 << 10


class Manifest:
    """The file, and what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path, self.problems = path, list[str]()
        self.top = Section(self, self._read(), "")

    def add(self, line: int, key: str, expected: str) -> None:
        """Keep a problem: where, which key, and what was expected there."""
        place = f"{self.path.name}, line {line}" if line else self.path.name
        self.problems.append(
            f"{place}: {key}: expected {expected}" if key else f"{place}: expected {expected}"
        )

    def raise_problems(self) -> None:
        """Raise AssignmentError if there are any."""
        if self.problems:
            raise AssignmentError(sorted(self.problems, key=_line_of))

    def _read(self) -> yaml.Node | None:
        if not self.path.is_file():
            return None
        if self.path.stat().st_size > _LARGEST:
            raise AssignmentError([f"{self.path.name}: expected at most {_LARGEST} bytes"])
        try:
            node: yaml.Node | None = yaml.compose(
                self.path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader
            )
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            raise AssignmentError(
                [f"{self.path.name}, line {line}: this is not YAML: {error.problem}"]
            ) from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise AssignmentError([f"{self.path.name}: this is not YAML in UTF-8: {error}"]) from None
        return node


class Section:
    """One mapping of the manifest; what is not asked for is an unknown key."""

    def __init__(self, manifest: Manifest, node: yaml.Node | None, prefix: str) -> None:
        self._manifest, self._prefix = manifest, prefix
        self._line = node.start_mark.line + 1 if node else 0
        self._nodes: dict[str, tuple[yaml.Node, int]] = {}
        self._asked: set[str] = set()
        if isinstance(node, yaml.MappingNode):
            self._take(node)
        elif node is not None and not _is_empty(node):
            manifest.add(self._line, prefix.rstrip("."), "keys with values")

    def _take(self, node: yaml.MappingNode) -> None:
        for key, value in node.value:
            name = str(key.value)
            if name in self._nodes:
                self._manifest.add(key.start_mark.line + 1, self._prefix + name, "each key once")
            self._nodes[name] = value, key.start_mark.line + 1

    def problem(self, key: str, expected: str) -> None:
        """Keep a problem with one key."""
        line = self._nodes[key][1] if key in self._nodes else self._line
        self._manifest.add(line, self._prefix + key, expected)

    def has(self, key: str) -> bool:
        """Tell whether the key is written."""
        return key in self._nodes

    def finish(self) -> None:
        """Complain about the keys nobody asked for."""
        for name in self._nodes:
            if name not in self._asked:
                near = difflib.get_close_matches(name.lower(), self._asked, n=1)
                meant = f"; did you mean {near[0]}?" if near else ""
                self.problem(name, f"one of the keys {', '.join(sorted(self._asked))}{meant}")

    def ignore_rest(self) -> None:
        """Ask for everything: the section is wrong as a whole."""
        self._asked |= set(self._nodes)

    def text(self, key: str, default: str) -> str:
        """Return a text."""
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, (str, int, float)) or isinstance(value, bool) or not str(value).strip():
            self.problem(key, "a text")
            return default
        return str(value)[:300]

    def choice(self, key: str, allowed: Sequence[str], default: str = "") -> str:
        """Return one of a few words; the first is the default unless another is named."""
        value = self._value(key)
        if value is None:
            return default or allowed[0]
        if value not in allowed:
            self.problem(key, f"one of {', '.join(allowed)}")
            return default or allowed[0]
        return str(value)

    def number(self, key: str, default: float, *, above: float, most: float = 1e6) -> float:
        """Return a number above one bound and not above the other."""
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not above < value <= most:
            self.problem(key, f"a number above {above:g} and at most {_written(most)}")
            return default
        return float(value)

    def integer(self, key: str, default: int, least: int, most: int) -> int:
        """Return a whole number between two bounds."""
        value = self._value(key)
        if value is None:
            return default
        if type(value) is not int or not least <= value <= most:
            self.problem(key, f"a whole number from {least} to {most}")
            return default
        return value

    def count(self, key: str, most: int) -> int | None:
        """Return a whole number from 1, or None when there is none: no limit."""
        return self.integer(key, 1, 1, most) if self._value(key) is not None else None

    def share(self, key: str, default: float, most: float) -> float:
        """Return a number from 0."""
        value = self._value(key)
        if value is None:
            return default
        if not _is_count(value) or value > most:
            self.problem(key, f"a number from 0 to {_written(most)}")
            return default
        return float(value)

    def moment(self, key: str) -> datetime | None:
        """Return a time, in UTC when no zone is given."""
        value = self._value(key)
        if value is None:
            return None
        try:
            found = value if isinstance(value, date) else datetime.fromisoformat(str(value))
        except ValueError:
            self.problem(key, "a time like 2026-12-01T23:59 or 2026-12-01T23:59-05:00")
            return None
        if not isinstance(found, datetime):
            found = datetime(found.year, found.month, found.day, 23, 59, 59, tzinfo=UTC)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)

    def texts(self, key: str, default: Sequence[str]) -> list[str]:
        """Return a list of texts."""
        value = self._value(key)
        if value is None:
            return list(default)
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return list(value)
        self.problem(key, "a list of file names")
        return list(default)

    def numbers(self, key: str) -> dict[str, float]:
        """Return a mapping from names to numbers that are not negative."""
        value = self._value(key)
        if value is None:
            return {}
        if isinstance(value, dict) and all(_is_count(item) for item in value.values()):
            return {str(name): float(item) for name, item in value.items()}
        self.problem(key, "test names with their points")
        return {}

    def words(self, key: str) -> tuple[str, ...] | None:
        """Return a value or a list of values as they are written: `yes` and `6.02e23` stay words."""
        self._asked.add(key)
        if key not in self._nodes:
            return None
        node = self._nodes[key][0]
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not items or not all(isinstance(item, yaml.ScalarNode) for item in items):
            self.problem(key, "a value or a list of values")
            return None
        return tuple(str(item.value) for item in items)

    def pairs(self, key: str) -> list[tuple[str, str]]:
        """Return a list of two values each, as they are written."""
        self._asked.add(key)
        if key not in self._nodes:
            return []
        node = self._nodes[key][0]
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found = [_pair_of(item) for item in items]
        if None in found:
            self.problem(key, "a list of pairs like [-3, no docstrings]")
        return [pair for pair in found if pair is not None]

    def words_if_plain(self, key: str) -> tuple[str, ...] | None:
        """Return what `words` does, and None when the key holds a mapping of its own."""
        is_mapping = key in self._nodes and isinstance(self._nodes[key][0], yaml.MappingNode)
        return None if is_mapping else self.words(key)

    def keys(self) -> tuple[str, ...]:
        """Return the keys that are there, for a mapping whose keys are names."""
        return tuple(self._nodes)

    def beside(self, path: Path) -> Section:
        """Return the top of another file, whose problems are told with those of this one."""
        other = Manifest(path)
        self._manifest.problems += other.problems
        other.problems = self._manifest.problems
        return other.top

    def section(self, key: str) -> Section:
        """Return the mapping below a key, empty when it is not there."""
        self._asked.add(key)
        node = self._nodes.get(key)
        return Section(self._manifest, node and node[0], f"{self._prefix}{key}.")

    def absent(self, key: str) -> Section:
        """Return a mapping that is not there, so that every key of it has its default."""
        return Section(self._manifest, None, f"{self._prefix}{key}.")

    def sections(self, key: str) -> list[Section]:
        """Return the mappings of a list."""
        self._asked.add(key)
        if key not in self._nodes:
            return []
        node = self._nodes[key][0]
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.problem(key, "a list")
            return []
        return [
            Section(self._manifest, inner, f"{self._prefix}{key}[{index}].")
            for index, inner in enumerate(node.value)
        ]

    def _value(self, key: str) -> Any:
        self._asked.add(key)
        if key not in self._nodes:
            return None
        try:
            return yaml.SafeLoader("").construct_document(self._nodes[key][0])
        except (yaml.YAMLError, ValueError) as error:
            self.problem(key, f"a plain value ({error})")
            return None


def _pair_of(node: yaml.Node) -> tuple[str, str] | None:
    values = node.value if isinstance(node, yaml.SequenceNode) else []
    if len(values) != 2 or not all(isinstance(value, yaml.ScalarNode) for value in values):  # noqa: PLR2004 - a pair
        return None
    return str(values[0].value), str(values[1].value)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == ""


def _is_count(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value >= 0 and math.isfinite(value)


def _line_of(problem: str) -> int:
    found = re.search(r", line (\d+): ", problem)
    return int(found[1]) if found else 0


def _written(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:g}"
