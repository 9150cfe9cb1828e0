INSERT INTO greenstream.window_finding AS known (
    meter_key, code, window_start, window_end, record_id, reading_at, load_id, detail, detected_at, resolved_at
)
SELECT
    n.meter_key,
    n.code,
    n.window_start,
    n.window_end,
    r.record_id,
    r.reading_at,
    r.load_id,
    CASE
        WHEN n.detail ? 'run_slots' THEN
            jsonb_build_object(
                'run_slots',
                round(extract(epoch FROM n.window_end - n.window_start) / extract(epoch FROM %(slot)s::interval)) + 1
            )
        WHEN r.record_id IS NOT NULL THEN
            n.detail || jsonb_build_object('kw', (r.power * 0.0001)::numeric(20, 4))
        ELSE n.detail
    END,
    %(now)s,
    CASE WHEN n.window_end < s.open_at THEN n.window_end + %(slot)s::interval END
FROM pg_temp.found n
JOIN unnest(%(codes)s::text[], %(open_at)s::timestamptz[]) AS s (code, open_at) USING (code)
LEFT JOIN LATERAL (
    SELECT c.record_id, c.reading_at, c.load_id, c.power
    FROM greenstream.reading c
    JOIN greenstream.load o USING (load_id)
    WHERE c.meter_key = n.meter_key
      AND c.reading_at >= n.window_start
      AND c.reading_at < n.window_start + %(slot)s::interval
    ORDER BY
        (c.power IS NOT NULL) DESC,
        (c.flags & %(inferred)s = 0) DESC,
        o.processed_at DESC,
        o.source_file_id DESC,
        c.line_number DESC
    LIMIT 1
) AS r ON n.code = 'ERRATIC_SPIKE'
ORDER BY n.meter_key, n.code, n.window_start
ON CONFLICT (meter_key, code, window_start) DO UPDATE
SET window_end = excluded.window_end,
    record_id = excluded.record_id,
    reading_at = excluded.reading_at,
    load_id = excluded.load_id,
    detail = excluded.detail,
    resolved_at = excluded.resolved_at
WHERE (known.window_end, known.record_id, known.detail, known.resolved_at)
    IS DISTINCT FROM (excluded.window_end, excluded.record_id, excluded.detail, excluded.resolved_at)
