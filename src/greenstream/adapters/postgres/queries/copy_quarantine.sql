COPY greenstream.quarantined_row (
    source_file_id, line_number, raw_bytes, raw_line, rule_id, code, quarantined_at
) FROM STDIN (FORMAT csv)
