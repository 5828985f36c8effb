"""The name of a submission: random, so that nobody guesses one, and fit to be read aloud."""

from __future__ import annotations

import secrets
from typing import Final

# A receipt is read aloud and typed: no letter that looks like another. 16 of 32 signs are 80 bits.
_SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_receipt() -> str:
    """Make one, like 7K3M-92XQ-0ABC-DEFG."""
    signs = "".join(secrets.choice(_SIGNS) for _ in range(16))
    return "-".join(signs[start : start + 4] for start in range(0, 16, 4))
