-- A batch of a day's readings, after the last one of the batch before, by the key.
SELECT
    r.reading_at,
    r.meter_key,
    encode(r.record_id, 'hex'),
    r.load_id,
    r.energy_value,
    r.power,
    r.flags,
    r.quality_score,
    r.grade,
    r.period,
    r.season,
    r.reliable,
    l.region,
    d.path
FROM greenstream.reading r
JOIN greenstream.location l USING (location_key)
JOIN greenstream.load o USING (load_id)
JOIN greenstream.source_file d USING (source_file_id)
WHERE r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s
  AND (%(flags)s = 0 OR r.flags & %(flags)s <> 0)
  AND (r.meter_key, r.reading_at, r.record_id) > (%(meter_key)s, %(reading_at)s, decode(%(record_id)s, 'hex'))
ORDER BY r.meter_key, r.reading_at, r.record_id
LIMIT %(batch)s
