COPY pg_temp.incoming_reading (
    reading_at, load_id, power, meter_key, location_key, line_number, flags, quality_score, period, season, grade,
    record_id, energy_value, reliable
) FROM STDIN (FORMAT csv)
