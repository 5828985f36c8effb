"""How alike two pieces of work are: similarity, not proof; a person decides.

Names resolve on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.academic.similarity.engine import (
        check_submission,
        keep,
        keep_all,
        look_up,
        refresh,
        store_and_compare,
    )
    from app.academic.similarity.evidence import Passage, passages
    from app.academic.similarity.prints import Prints, fingerprint
    from app.academic.similarity.queries import (
        decide,
        evidence_of,
        highest_score,
        pairs_for_submission,
        ranked_pairs,
        seen_in,
        similarity_histogram,
    )
    from app.academic.similarity.results import Match, SimilarityResult
    from app.academic.similarity.store import author_count, forget, rebuild, store_prints
    from app.academic.similarity.sweep import compare_class, sweep_and_keep

__all__ = [
    "Match",
    "Passage",
    "Prints",
    "SimilarityResult",
    "author_count",
    "check_submission",
    "compare_class",
    "decide",
    "evidence_of",
    "fingerprint",
    "forget",
    "highest_score",
    "keep",
    "keep_all",
    "look_up",
    "pairs_for_submission",
    "passages",
    "ranked_pairs",
    "rebuild",
    "refresh",
    "seen_in",
    "similarity_histogram",
    "store_and_compare",
    "store_prints",
    "sweep_and_keep",
]

_HOME = {
    "Match": "results",
    "Passage": "evidence",
    "Prints": "prints",
    "SimilarityResult": "results",
    "author_count": "store",
    "check_submission": "engine",
    "compare_class": "sweep",
    "decide": "queries",
    "evidence_of": "queries",
    "fingerprint": "prints",
    "forget": "store",
    "highest_score": "queries",
    "keep": "engine",
    "keep_all": "engine",
    "look_up": "engine",
    "pairs_for_submission": "queries",
    "passages": "evidence",
    "ranked_pairs": "queries",
    "rebuild": "store",
    "refresh": "engine",
    "seen_in": "queries",
    "similarity_histogram": "queries",
    "store_and_compare": "engine",
    "store_prints": "store",
    "sweep_and_keep": "sweep",
}


def __getattr__(name: str) -> Any:
    """Import the module a public name lives in, when the name is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
