-- The loaded files with chosen rows that wait.
SELECT source_file_id, path, size_bytes, received_at, sha256, modified_at, version, replaced_at
FROM greenstream.delivery f
WHERE (%(source_file)s::text IS NULL OR f.path = %(source_file)s)
  AND EXISTS (
      SELECT FROM greenstream.quarantined_row q
      WHERE q.source_file_id = f.source_file_id
        AND q.replayed_at IS NULL
        AND q.discarded_at IS NULL
        AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
        AND (%(code)s::text IS NULL OR q.code = %(code)s)
        AND (%(rule_id)s::text IS NULL OR q.rule_id = %(rule_id)s)
        AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR q.quarantined_at < %(until)s)
  )
ORDER BY source_file_id
