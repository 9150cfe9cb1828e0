SELECT line_number, code, CASE WHEN %(texts)s THEN raw_line END, CASE WHEN %(texts)s THEN raw_bytes END
FROM greenstream.quarantined_row
WHERE source_file_id = %(source_file_id)s
  AND replayed_at IS NULL
  AND discarded_at IS NULL
  AND (%(lines)s::bigint[] IS NULL OR line_number = ANY(%(lines)s))
  AND (%(code)s::text IS NULL OR code = %(code)s)
  AND (%(rule_id)s::text IS NULL OR rule_id = %(rule_id)s)
  AND (%(since)s::timestamptz IS NULL OR quarantined_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR quarantined_at < %(until)s)
ORDER BY line_number
