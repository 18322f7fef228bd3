"""What was measured, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.measure import Measured

HEADER = (
    "case", "KB", "answers/s", "constant/s", "share", "from-to", "target", "", "p50 ms", "p99 ms",
)  # fmt: skip


def rows(results: Iterable[Measured], database: str) -> list[Sequence[str]]:
    """A row for each case, with its header."""
    return [HEADER, *(_row(measured, database) for measured in results)]


def _row(measured: Measured, database: str) -> Sequence[str]:
    target = measured.case.targets.get(database)
    low, high = measured.spread
    verdict = "" if target is None else "reached" if measured.ratio >= target else "falls short"
    return (
        measured.case.name,
        f"{measured.size / 1000:.1f}",
        f"{measured.rate:.0f}",
        f"{measured.constant:.0f}",
        f"{measured.ratio:.2f}" if measured.ratio >= 0.095 else f"{measured.ratio:.3f}",
        f"{low:.2f}-{high:.2f}",
        "" if target is None else f"{target:.2f}",
        verdict,
        f"{measured.latency(50):.1f}",
        f"{measured.latency(99):.1f}",
    )


def plain(table: Sequence[Sequence[str]]) -> str:
    """The table for a terminal: text to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if _is_text(number) else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def markdown(table: Sequence[Sequence[str]]) -> str:
    """The table for a page."""
    header, *others = table
    rule = ["---" if _is_text(number) else "---:" for number in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *others))


def _is_text(column: int) -> bool:
    return HEADER[column] in ("case", "")
