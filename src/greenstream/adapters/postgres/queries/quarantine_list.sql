-- The newest first.
SELECT
    d.path AS source_file,
    q.line_number,
    q.rule_id,
    q.code,
    CASE WHEN %(chars)s::integer IS NULL THEN q.raw_line ELSE left(q.raw_line, %(chars)s) END AS raw_line,
    q.quarantined_at,
    q.replayed_at,
    q.discarded_at
FROM greenstream.quarantined_row q
JOIN greenstream.source_file d USING (source_file_id)
WHERE (%(with_closed)s OR q.replayed_at IS NULL AND q.discarded_at IS NULL)
  AND (%(source_file)s::text IS NULL OR d.path = %(source_file)s)
  AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
  AND (%(code)s::text IS NULL OR q.code = %(code)s)
  AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
ORDER BY q.quarantined_at DESC, q.source_file_id DESC, q.line_number
LIMIT %(limit)s
