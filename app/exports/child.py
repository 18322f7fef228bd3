"""Writes an export to standard output; it is run as a process of its own.

Standard input is the job. The first line of what comes out is the head of the log as of which all
the rest is; then follows the file.
"""

from __future__ import annotations

import sys

from app.exports.formats import WRITERS
from app.exports.job import TEMPORARY, Job
from app.exports.snapshot import snapshot


def main() -> None:
    """Writes the export that standard input asks for."""
    job = Job.of_json(sys.stdin.buffer.read())
    out = sys.stdout.buffer
    try:
        with snapshot(job.url) as seen:
            out.write(b"%d\n" % seen.head)
            out.flush()
            WRITERS[job.format](job, seen.batches(job.sql, job.values), out)
            out.flush()
    except BrokenPipeError:
        sys.exit(0)  # whoever asked for it does not want it any more
    except OSError:
        sys.exit(TEMPORARY)


if __name__ == "__main__":
    main()
