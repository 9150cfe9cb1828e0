-- Every meter with a reading, or due to have one.
SELECT m.meter_key, a.first_seen_at, m.commissioned, m.decommissioned, m.watched_from
FROM greenstream.meter m
LEFT JOIN greenstream.meter_activity a USING (meter_key)
ORDER BY m.meter_key
