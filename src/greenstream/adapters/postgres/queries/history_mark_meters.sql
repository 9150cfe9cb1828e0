UPDATE greenstream.meter m
SET watched_from = a.first_seen_at
FROM greenstream.meter_activity a
WHERE a.meter_key = m.meter_key AND m.watched_from IS DISTINCT FROM a.first_seen_at
