SELECT
    d.path AS source_file,
    q.line_number,
    q.rule_id,
    q.code,
    q.raw_line,
    encode(q.raw_bytes, 'hex') AS raw_bytes,
    q.quarantined_at,
    q.replayed_at,
    q.discarded_at,
    q.discard_reason,
    d.received_at,
    d.processed_at,
    d.pipeline_version
FROM greenstream.quarantined_row q
JOIN greenstream.source_file d USING (source_file_id)
WHERE d.path = %(source_file)s AND q.line_number = %(line_number)s
ORDER BY q.source_file_id
