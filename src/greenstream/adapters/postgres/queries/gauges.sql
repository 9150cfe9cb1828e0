-- A row a gauge and its labels. What can be counted in advance is there as 0, so that graphs and alerts have a series.
WITH waiting AS (
    SELECT route, state, count(*) AS files, min(queued_at) AS oldest FROM public.waiting_files GROUP BY route, state
),
route AS (SELECT unnest(%(routes)s::text[]) AS route)
SELECT 'waiting_files' AS gauge, ARRAY[route, state] AS labels, coalesce(files, 0)::float8 AS value
FROM route
CROSS JOIN unnest(ARRAY['waiting', 'running', 'retrying', 'stuck']) AS state
LEFT JOIN waiting USING (route, state)
UNION ALL
SELECT 'oldest_waiting_seconds', ARRAY[route], coalesce(extract(epoch FROM now() - min(oldest)), 0)::float8
FROM route
LEFT JOIN waiting USING (route)
GROUP BY route
UNION ALL
SELECT 'open_dead_letters', ARRAY[]::text[], count(*)::float8
FROM greenstream.dead_letter
WHERE replayed_at IS NULL AND discarded_at IS NULL
UNION ALL
SELECT 'open_alerts', ARRAY[code], count(*)::float8
FROM greenstream.alert
WHERE acknowledged_at IS NULL
GROUP BY code
UNION ALL
SELECT 'open_findings', ARRAY[code], coalesce(f.findings, 0)::float8
FROM greenstream.window_rule
LEFT JOIN (
    SELECT code, count(*) AS findings FROM greenstream.window_finding WHERE resolved_at IS NULL GROUP BY code
) AS f USING (code)
UNION ALL
SELECT 'quarantined_rows', ARRAY[code], count(*)::float8
FROM greenstream.quarantined_row
WHERE replayed_at IS NULL AND discarded_at IS NULL
GROUP BY code
UNION ALL
SELECT 'flags', ARRAY[code], coalesce(c.readings, 0)::float8
FROM greenstream.flag
LEFT JOIN (SELECT flag, sum(readings) AS readings FROM greenstream.flag_count GROUP BY flag) AS c USING (flag)
UNION ALL
SELECT 'watermark_timestamp_seconds', ARRAY[]::text[], extract(epoch FROM watermark)::float8
FROM greenstream.site
WHERE watermark IS NOT NULL
UNION ALL
SELECT 'unwatched_loads', ARRAY[]::text[], count(DISTINCT load_id)::float8
FROM greenstream.unwatched
