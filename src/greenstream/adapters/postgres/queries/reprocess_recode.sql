-- Rows that fail now: for another reason, or again.
UPDATE greenstream.quarantined_row q
SET code = n.code, rule_id = n.rule_id, replayed_at = NULL
FROM unnest(%(lines)s::bigint[], %(codes)s::text[], %(rule_ids)s::text[]) AS n (line_number, code, rule_id)
WHERE q.source_file_id = %(source_file_id)s AND q.line_number = n.line_number
