-- All that the rules found: flags and windows by meter and slot, quarantined rows by file and line.
SELECT
    code,
    meter_id,
    NULL AS file,
    NULL AS line_number,
    floor(extract(epoch FROM coalesce(window_start, reading_at)) / %(slot_seconds)s)::bigint AS first,
    floor(extract(epoch FROM coalesce(window_end, reading_at)) / %(slot_seconds)s)::bigint AS last
FROM data_quality_log
UNION ALL
SELECT
    code,
    NULL,
    regexp_replace(source_file, '^.*/', ''),
    line_number,
    NULL,
    NULL
FROM quarantined_rows
