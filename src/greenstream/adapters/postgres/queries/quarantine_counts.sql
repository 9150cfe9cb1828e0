SELECT q.code, count(*)
FROM greenstream.quarantined_row q
JOIN greenstream.source_file d USING (source_file_id)
WHERE (%(with_closed)s OR q.replayed_at IS NULL AND q.discarded_at IS NULL)
  AND (%(source_file)s::text IS NULL OR d.path = %(source_file)s)
  AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
  AND (%(code)s::text IS NULL OR q.code = %(code)s)
  AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
GROUP BY q.code
ORDER BY count(*) DESC, q.code
