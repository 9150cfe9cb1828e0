SELECT DISTINCT ON (code)
    rule_id,
    code,
    count(*) OVER (PARTITION BY code) AS times,
    source_file,
    line_number,
    raw_line
FROM quarantined_rows
ORDER BY code, source_file, line_number
