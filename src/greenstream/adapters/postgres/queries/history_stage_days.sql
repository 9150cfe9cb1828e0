CREATE TEMP TABLE IF NOT EXISTS fresh_meter_day (LIKE greenstream.meter_day) ON COMMIT DROP
