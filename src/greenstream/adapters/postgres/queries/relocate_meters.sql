-- To where the newest reading is. Where that is in the lake by now, nothing that comes is newer.
UPDATE greenstream.meter m
SET location_key = newest.location_key
FROM unnest(%(meters)s::integer[]) AS n (meter_key)
CROSS JOIN LATERAL (
    SELECT r.location_key, r.reading_at
    FROM greenstream.reading r
    JOIN greenstream.load o USING (load_id)
    WHERE r.meter_key = n.meter_key
    ORDER BY r.reading_at DESC, o.processed_at DESC, o.source_file_id DESC, r.line_number DESC
    LIMIT 1
) newest
JOIN greenstream.meter_activity a ON a.last_seen_at <= newest.reading_at
WHERE m.meter_key = n.meter_key AND a.meter_key = n.meter_key AND m.location_key <> newest.location_key
