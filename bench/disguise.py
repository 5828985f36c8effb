"""Copies of a Python program as a copier disguises them, made by machine for measuring."""

from __future__ import annotations

import ast
import builtins
import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_FRESH: Final = (
    "value",
    "data",
    "thing",
    "elem",
    "acc",
    "obj",
    "tmp",
    "entry",
    "cur",
    "bucket",
    "piece",
    "slot",
)


def reformatted(source: str) -> str:
    """Lay out anew: other quotes, no comments, no blank lines of the author's."""
    return ast.unparse(ast.parse(source))


def renamed(source: str) -> str:
    """Give new names to all that the assignment does not prescribe."""
    tree = ast.parse(source)
    names = {
        old: f"{_FRESH[i % len(_FRESH)]}{i // len(_FRESH) or ''}" for i, old in enumerate(_own_names(tree))
    }
    return ast.unparse(_Renamer(names).visit(tree))


def reordered(source: str) -> str:
    """Shuffle functions and methods."""
    tree = ast.parse(source)
    shuffler = random.Random(7)  # noqa: S311 - the same copies every time
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef)):
            places = [i for i, part in enumerate(node.body) if isinstance(part, ast.FunctionDef)]
            parts = [node.body[i] for i in places]
            shuffler.shuffle(parts)
            for place, part in zip(places, parts, strict=True):
                node.body[place] = part
    return ast.unparse(tree)


def reworded(source: str) -> str:
    """Change every literal text, as well as names and order."""
    tree = ast.parse(reordered(renamed(source)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 4:  # noqa: PLR2004
            node.value = f"oh no, {node.value.split()[0]} is bad"
    return ast.unparse(tree)


def stuffed(source: str) -> str:
    """Put statements that do nothing between the others, after renaming."""
    tree = _Stuffer().visit(ast.parse(renamed(source)))
    return ast.unparse(ast.fix_missing_locations(tree))


def rewritten(source: str) -> str:
    """Turn conditions round and spell out short forms, after renaming and reordering."""
    tree = _Rewriter().visit(ast.parse(reordered(renamed(source))))
    return ast.unparse(ast.fix_missing_locations(tree))


DISGUISES: Final[dict[str, Callable[[str], str]]] = {
    "verbatim": str,
    "reformatted": reformatted,
    "renamed": renamed,
    "reordered": reordered,
    "reworded": reworded,
    "stuffed": stuffed,
    "rewritten": rewritten,
}


def _own_names(tree: ast.AST) -> list[str]:
    """Names the author chose: what is assigned, parameters, private functions, own attributes."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
        elif isinstance(node, ast.arg) and node.arg != "self":
            found[node.arg] = None
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            found[node.attr] = None
    public = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return [name for name in found if name not in public and not hasattr(builtins, name)]


class _Renamer(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            node.attr = self.names.get(node.attr, node.attr)
        return node


class _Stuffer(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        body: list[ast.stmt] = []
        for number, statement in enumerate(node.body):
            body.append(statement)
            if number % 2 == 0 and not isinstance(statement, ast.Return):
                body.extend(ast.parse(f"unused{number} = {number} + 1").body)
        node.body = body
        return node


class _Rewriter(ast.NodeTransformer):
    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        target = ast.unparse(node.target)
        return ast.parse(f"{target} = {target} + ({ast.unparse(node.value)})").body[0]

    def visit_If(self, node: ast.If) -> ast.If:
        self.generic_visit(node)
        if node.orelse:
            node.test = ast.UnaryOp(ast.Not(), node.test)
            node.body, node.orelse = node.orelse, node.body
        return node
