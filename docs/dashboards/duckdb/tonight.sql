-- Tonight's numbers of an ICB, from the files that fetch.sh has brought.

-- What there is, by theme and status.
PIVOT 'innovations.parquet' ON status USING count(*) GROUP BY theme ORDER BY theme;

-- The strongest evidence.
SELECT i.reference, i.title, e.kind, e.statement
FROM 'innovations.parquet' i JOIN 'evidence.parquet' e ON e.innovation = i.id
WHERE e.strength = 'strong'
ORDER BY i.reference, e.id;

-- Decisions month by month.
SELECT date_trunc('month', decided_on) AS month, status, count(*) AS decisions
FROM 'decisions.parquet'
GROUP BY ALL
ORDER BY ALL;

-- What changed in the last day.
SELECT reference, title, version, updated_at::TIMESTAMP AS updated_at
FROM 'innovations.parquet'
WHERE updated_at > now() - INTERVAL 1 DAY
ORDER BY updated_at DESC;

-- The most frequent tags.
SELECT tag, count(*) AS innovations
FROM (SELECT unnest(tags) AS tag FROM 'innovations.parquet')
GROUP BY tag
ORDER BY innovations DESC, tag;

-- The share that is kept, today and then.
WITH figures AS (
    SELECT filename, unnest(items, recursive := true)
    FROM read_json(
        ['now.json', 'then.json'],
        filename = true,
        columns = {items: 'STRUCT(theme VARCHAR, kept BIGINT, share_kept DOUBLE)[]'}
    )
)
SELECT now.theme, now.share_kept, past.share_kept AS share_kept_then
FROM figures AS now
LEFT JOIN figures AS past ON past.theme = now.theme AND past.filename = 'then.json'
WHERE now.filename = 'now.json'
ORDER BY now.theme;
