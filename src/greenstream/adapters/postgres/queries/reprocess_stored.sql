-- The file's readings: by the index where its meters are known, and in the time that it is of. Those that were let out
-- of the quarantine later are told by the time of their load.
SELECT
    r.reading_at, r.meter_key, encode(r.record_id, 'hex'), r.load_id, r.energy_value, r.power, r.flags,
    r.quality_score, r.grade, r.period, r.season, r.reliable, l.region, %(path)s, r.line_number,
    o.processed_at <> f.processed_at
FROM greenstream.source_file f
JOIN greenstream.load o USING (source_file_id)
JOIN greenstream.reading r USING (load_id)
JOIN greenstream.location l USING (location_key)
WHERE f.source_file_id = %(source_file_id)s
  AND r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s
  AND (%(meters)s::integer[] IS NULL OR r.meter_key = ANY(%(meters)s))
