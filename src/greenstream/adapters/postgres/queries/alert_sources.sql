-- The source of `raw-data/2024-03-20/zone7_20240320T1845.csv` is zone7.
SELECT coalesce(nullif(rtrim(beginning, '_- '), ''), 'unnamed') AS source, sum(rows)::bigint, sum(rejected)::bigint
FROM (
    SELECT regexp_replace(regexp_replace(path, '^.*/', ''), '([0-9]{4}|\.).*$', '') AS beginning, rows, rejected
    FROM greenstream.source_file
    WHERE processed_at > %(since)s AND outcome = 'loaded'
) f
GROUP BY source
HAVING sum(rejected) > 0
ORDER BY source
