"""Python as a sequence of syntax nodes; anything the parser cannot take yields none.

The parser is fed students' bytes: sizes and nesting are bounded before, every way it may
give up is caught after, and the tree is walked without recursion.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CHARACTERS: Final = 100_000
MAX_NESTING: Final = 60  # brackets in brackets; people stay below ten
MAX_INDENT: Final = 200  # columns
MAX_RUN: Final = 500  # operators in one logical line: `1+1+1+...` nests as deep as it is long
MAX_NODES: Final = 50_000

_STRUCTURAL: Final = re.compile(
    r"[()\[\]{}]|\n[ \t]*|[-+~*/%@&|^<>=.!]|\b(?:not|and|or|lambda|elif|if|else|await)\b"
)
_DEFINITIONS: Final = frozenset({"FunctionDef", "AsyncFunctionDef", "ClassDef"})
_SILENT: Final = (ast.expr_context, ast.Module, ast.Expr)


def node_sequence(text: str) -> list[tuple[str, int]]:
    """Kind and line of every syntax node, in the order of the text; empty if unparsable."""
    if not is_parsable_size(text):
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return []
    return _preorder(tree)


def units(nodes: Sequence[str]) -> list[str]:
    """The same program in another order of its functions: its parts, from one definition to the next."""
    parts: list[list[str]] = [[]]
    for node in nodes:
        if node in _DEFINITIONS:
            parts.append([])
        parts[-1].append(node)
    return sorted("\x1f".join(part) for part in parts if part)


def is_parsable_size(text: str) -> bool:
    """Whether a text is flat and short enough to be handed to the parser."""
    if len(text) > MAX_CHARACTERS:
        return False
    depth = run = 0
    for match in _STRUCTURAL.finditer(text):
        mark = match.group()
        depth += (mark in "([{") - (mark in ")]}")
        if mark[0] == "\n":
            if len(mark) > MAX_INDENT:
                return False
            run = run if depth > 0 else 0
        else:
            run += mark not in "()[]{}="
        if depth > MAX_NESTING or run > MAX_RUN:
            return False
    return True


def _preorder(tree: ast.AST) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    stack: list[tuple[ast.AST, int]] = [(tree, 1)]
    while stack and len(found) < MAX_NODES:
        node, line = stack.pop()
        line = getattr(node, "lineno", line)
        if not isinstance(node, _SILENT):
            found.append((type(node).__name__, line))
        children = [child for child in ast.iter_child_nodes(node) if not _is_docstring(child)]
        stack.extend((child, line) for child in reversed(children))
    return found


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
