#!/usr/bin/env bash
# Brings an ICB's tables and figures, those that are new. Needs bash, and curl 7.70 or newer.
set -euo pipefail

register=${REGISTER_URL:-http://127.0.0.1:8000}
icb=${ICB:-QOP}
as_of=${AS_OF:-2026-04-01}

# With the ETag of the last time, the register answers 304 if nothing was written since; the file
# then stays as it is.
fetch() {
    curl --silent --show-error --fail --max-time 600 --output "$1" \
        --etag-compare "$1.etag" --etag-save "$1.etag" "$register$2"
}

fetch innovations.parquet "/v1/exports/innovations.parquet?icb=$icb"
fetch evidence.parquet "/v1/exports/evidence.parquet?icb=$icb"
fetch decisions.parquet "/v1/exports/decisions.parquet?icb=$icb"
fetch now.json "/v1/statistics?group_by=theme&icb=$icb"
fetch then.json "/v1/statistics?group_by=theme&icb=$icb&as_of=$as_of"
