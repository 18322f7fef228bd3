"""Tonight's numbers of an ICB, with pandas. Needs pandas, pyarrow and httpx."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

ICB = os.environ.get("ICB", "QOP")
THEN = os.environ.get("AS_OF", "2026-04-01")

register = httpx.Client(
    base_url=os.environ.get("REGISTER_URL", "http://127.0.0.1:8000"), timeout=60
)


def export(table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table as it is now, and as it was the last time.

    Each file keeps the ETag that it came with. With that, the register sends a file only if
    something was written since; if not, its answer is a 304.
    """
    file = Path(f"{table}.parquet")
    before, tag = file.with_suffix(".before.parquet"), file.with_suffix(".etag")
    headers = {"If-None-Match": tag.read_text()} if tag.exists() else {}
    path = f"/v1/exports/{table}.parquet"
    answer = register.get(path, params={"icb": ICB}, headers=headers)
    if answer.status_code == 304:
        print(f"{table}: nothing new")
    else:
        answer.raise_for_status()
        if file.exists():
            file.replace(before)
        file.write_bytes(answer.content)
        tag.write_text(answer.headers["ETag"])
    return pd.read_parquet(file), pd.read_parquet(before if before.exists() else file)


def figures(path: str, **query: Any) -> pd.DataFrame:
    """What the register has counted."""
    answer = register.get(path, params={"icb": ICB, **query})
    answer.raise_for_status()
    return pd.json_normalize(answer.json()["items"])


def main() -> None:
    innovations, last = export("innovations")
    evidence, _ = export("evidence")
    print(f"{len(innovations)} innovations, {len(evidence)} pieces of evidence")

    print("\nBy theme and status")
    print(pd.crosstab(innovations["theme"], innovations["status"]))

    print("\nStrongest evidence")
    strong = evidence[evidence["strength"] == "strong"]
    print(strong.merge(innovations[["id", "title"]], left_on="innovation", right_on="id")["title"])

    both = innovations.merge(last, on="id", suffixes=("", "_before"))
    changed = both[both["version"] != both["version_before"]]
    new = innovations[~innovations["id"].isin(last["id"])]
    gone = last[~last["id"].isin(innovations["id"])]
    print(f"\nSince the last time: {len(new)} new, {len(changed)} changed, {len(gone)} gone")

    print("\nMonth by month")
    print(figures("/v1/statistics/timeline"))

    print(f"\nShare kept by theme, today and on {THEN}")
    columns = ["theme", "share_kept"]
    today = figures("/v1/statistics", group_by="theme", empty="true").reindex(columns=columns)
    then = figures("/v1/statistics", group_by="theme", as_of=THEN).reindex(columns=columns)
    print(today.merge(then, on="theme", how="left", suffixes=("", "_then")))


if __name__ == "__main__":
    main()
