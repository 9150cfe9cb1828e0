-- Of each code about a meter's history: how many findings, and the one with most to show.
SELECT DISTINCT ON (code)
    rule_id,
    code,
    count(*) OVER (PARTITION BY code) AS times,
    meter_id,
    window_start,
    window_end,
    detail
FROM data_quality_log
WHERE window_start IS NOT NULL
ORDER BY code, window_end - window_start DESC, (detail ->> 'kw')::numeric DESC, window_start, meter_id
