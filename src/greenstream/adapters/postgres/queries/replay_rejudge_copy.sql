COPY pg_temp.rejudged (
    meter_key, reading_at, record_id, load_id, power, flags, quality_score, grade, period, season, energy_value, region,
    old_load_id, old_flags, old_grade, line_number
) FROM STDIN (FORMAT csv)
