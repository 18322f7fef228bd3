"""Processes that are not left behind when a run is killed."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """On Linux, this process gets the signal when its parent ends, however that ends.

    Whatever changes the process's user clears it.
    """
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, by)
