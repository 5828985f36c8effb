"""How alike two pieces of work are: similarity, not proof; a person decides.

Names resolve on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.academic.similarity.engine import check_submission, refresh, store_and_compare
    from app.academic.similarity.evidence import Passage, passages
    from app.academic.similarity.prints import Prints, fingerprint
    from app.academic.similarity.queries import (
        decide,
        highest_score,
        pairs_for_submission,
        ranked_pairs,
        similarity_histogram,
    )
    from app.academic.similarity.results import Match, SimilarityResult
    from app.academic.similarity.store import forget

__all__ = [
    "Match",
    "Passage",
    "Prints",
    "SimilarityResult",
    "check_submission",
    "decide",
    "fingerprint",
    "forget",
    "highest_score",
    "pairs_for_submission",
    "passages",
    "ranked_pairs",
    "refresh",
    "similarity_histogram",
    "store_and_compare",
]

_HOME = {
    "Match": "results",
    "Passage": "evidence",
    "Prints": "prints",
    "SimilarityResult": "results",
    "check_submission": "engine",
    "decide": "queries",
    "fingerprint": "prints",
    "forget": "store",
    "highest_score": "queries",
    "pairs_for_submission": "queries",
    "passages": "evidence",
    "ranked_pairs": "queries",
    "refresh": "engine",
    "similarity_histogram": "queries",
    "store_and_compare": "engine",
}


def __getattr__(name: str) -> Any:
    """Import the module a public name lives in, when the name is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
