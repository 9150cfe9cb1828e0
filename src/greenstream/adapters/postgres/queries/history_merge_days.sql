INSERT INTO greenstream.meter_day AS known (day, meter_key, slot_values)
SELECT day, meter_key, slot_values FROM pg_temp.fresh_meter_day ORDER BY day, meter_key
ON CONFLICT (day, meter_key) DO UPDATE SET slot_values = excluded.slot_values
WHERE known.slot_values <> excluded.slot_values
