INSERT INTO greenstream.row_finding (reading_at, load_id, meter_key, flag, record_id, energy_value)
SELECT n.reading_at, n.load_id, n.meter_key, f.flag, n.record_id, n.energy_value
FROM pg_temp.rejudged n
JOIN greenstream.flag f ON n.flags & f.flag <> 0
