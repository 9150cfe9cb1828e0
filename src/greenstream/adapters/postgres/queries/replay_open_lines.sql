-- Held until the end: another replay, or a person who discards them, waits.
SELECT line_number
FROM greenstream.quarantined_row
WHERE source_file_id = %(source_file_id)s AND replayed_at IS NULL AND discarded_at IS NULL
ORDER BY line_number
FOR UPDATE
