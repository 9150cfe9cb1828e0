UPDATE greenstream.quarantined_row q
SET code = n.code, rule_id = n.rule_id
FROM unnest(%(lines)s::bigint[], %(codes)s::text[], %(rule_ids)s::text[]) AS n (line_number, code, rule_id)
WHERE q.source_file_id = %(source_file_id)s AND q.line_number = n.line_number AND q.code <> n.code
