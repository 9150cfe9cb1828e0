SELECT DISTINCT ON (code)
    rule_id,
    code,
    severity,
    count(*) OVER (PARTITION BY code) AS times,
    meter_id,
    reading_at,
    detail ->> 'energy_value' AS energy_value,
    source_file
FROM data_quality_log
WHERE window_start IS NULL
ORDER BY code, length(detail ->> 'energy_value') DESC, reading_at, meter_id
