COPY (
    SELECT
        meter_key, date_part('epoch', reading_at)::bigint, energy_value, power, location_key, period, season, flags,
        quality_score, grade, load_id, line_number
    FROM greenstream.reading
    WHERE reading_at >= %(start)s AND reading_at < %(stop)s AND meter_key = ANY(%(keys)s)
) TO STDOUT (FORMAT csv, FORCE_QUOTE (energy_value))
