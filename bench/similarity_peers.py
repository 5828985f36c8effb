"""Other tools on the same works, where they are installed: copydetect, and Dolos's library under Node."""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.similarity_sets import Files

Scores = dict[tuple[str, str], float]
_DOLOS: Final = """
import { Dolos } from "@dodona/dolos-lib";
const paths = JSON.parse(process.argv[1]);
const report = await new Dolos().analyzePaths(paths);
const found = report.allPairs().map(p => [p.leftFile.path, p.rightFile.path, p.similarity]);
console.log(JSON.stringify(found));
"""


def peers(node_modules: Path | None) -> dict[str, Callable[[Mapping[str, Files]], Scores]]:
    """The tools that are here, by name."""
    found: dict[str, Callable[[Mapping[str, Files]], Scores]] = {}
    if importlib.util.find_spec("copydetect"):
        found["copydetect"] = copydetect
    if node_modules is not None and (node_modules / "@dodona" / "dolos-lib").is_dir():
        found["Dolos"] = lambda works: dolos(works, node_modules)
    return found


def copydetect(works: Mapping[str, Files]) -> Scores:
    """The larger of the two shares that copydetect gives, for each pair."""
    module: Any = importlib.import_module("copydetect")
    with tempfile.TemporaryDirectory() as folder:
        prints = {
            name: module.CodeFingerprint(str(path), 25, 1) for name, path in _laid_out(works, folder).items()
        }
        return {
            _key(one, two): 100 * float(max(module.compare_files(prints[one], prints[two])[1]))
            for one, two in itertools.combinations(prints, 2)
        }


def dolos(works: Mapping[str, Files], node_modules: Path) -> Scores:
    """The similarity that Dolos gives, for each pair."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {str(path): name for name, path in _laid_out(works, folder).items()}
        done = subprocess.run(
            ["node", "--input-type=module", "-e", _DOLOS, json.dumps(list(paths))],
            cwd=node_modules.parent,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"Dolos: {done.stderr[-500:]}")
        return {
            _key(paths[one], paths[two]): 100 * share
            for one, two, share in json.loads(done.stdout.splitlines()[-1])
        }


def _laid_out(works: Mapping[str, Files], folder: str) -> dict[str, Path]:
    """One file for each work: the tools compare files."""
    laid: dict[str, Path] = {}
    for number, (name, files) in enumerate(works.items()):
        suffix = Path(next(iter(files))).suffix
        laid[name] = Path(folder) / f"w{number}{suffix}"
        laid[name].write_bytes(b"\n".join(files.values()))
    return laid


def _key(one: str, two: str) -> tuple[str, str]:
    return (min(one, two), max(one, two))
