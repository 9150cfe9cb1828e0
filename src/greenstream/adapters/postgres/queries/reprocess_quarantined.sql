SELECT line_number, code, replayed_at IS NOT NULL, discarded_at IS NOT NULL
FROM greenstream.quarantined_row
WHERE source_file_id = %(source_file_id)s
FOR UPDATE
