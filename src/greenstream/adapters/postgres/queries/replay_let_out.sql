UPDATE greenstream.quarantined_row
SET replayed_at = %(now)s
WHERE source_file_id = %(source_file_id)s AND line_number = ANY(%(lines)s)
