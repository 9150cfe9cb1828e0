WITH discarded AS (
    UPDATE greenstream.quarantined_row q
    SET discarded_at = %(now)s, discard_reason = %(reason)s
    FROM greenstream.source_file d
    WHERE d.source_file_id = q.source_file_id
      AND q.replayed_at IS NULL
      AND q.discarded_at IS NULL
      AND (%(source_file)s::text IS NULL OR d.path = %(source_file)s)
      AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
      AND (%(code)s::text IS NULL OR q.code = %(code)s)
      AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
    RETURNING q.code
)
SELECT code, count(*) FROM discarded GROUP BY code ORDER BY code
