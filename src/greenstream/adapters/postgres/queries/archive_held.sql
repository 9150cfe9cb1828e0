-- As CSV, all lines of a load in one value: three times as fast as COPY, whose rows come one by one.
SELECT string_agg(
    meter_key || ','
    || date_part('epoch', reading_at)::bigint || ','
    || coalesce('"' || replace(energy_value, '"', '""') || '"', '') || ','
    || coalesce(power::text, '') || ','
    || location_key || ','
    || period || ','
    || season || ','
    || flags || ','
    || quality_score || ','
    || grade || ','
    || load_id || ','
    || line_number || E'\n',
    ''
)
FROM greenstream.reading
WHERE reading_at >= %(start)s AND reading_at < %(stop)s AND meter_key = ANY(%(keys)s)
GROUP BY load_id
