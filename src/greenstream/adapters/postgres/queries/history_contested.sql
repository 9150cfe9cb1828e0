-- As history_values, for meters with several readings in a slot: only the current ones.
SELECT meter_key, array_agg((slot << %(bits)s) + 3 + value)
FROM (
    SELECT DISTINCT ON (r.meter_key, slot)
        r.meter_key,
        date_part('epoch', r.reading_at)::bigint / %(seconds)s - %(first_slot)s AS slot,
        CASE
            WHEN r.power IS NOT NULL THEN greatest(r.power, -1)
            WHEN r.energy_value IS NULL THEN -3
            ELSE -2
        END AS value
    FROM greenstream.reading r
    JOIN greenstream.load o USING (load_id)
    WHERE r.reading_at >= %(start)s AND r.reading_at < %(stop)s AND r.meter_key = ANY(%(meters)s)
    ORDER BY
        r.meter_key,
        slot,
        (r.power IS NOT NULL) DESC,
        (r.flags & %(inferred)s = 0) DESC,
        o.processed_at DESC,
        o.source_file_id DESC,
        r.line_number DESC
) AS newest
GROUP BY meter_key
