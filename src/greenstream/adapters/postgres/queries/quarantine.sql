-- name: copy
COPY greenstream.quarantined_row (
    source_file_id, line_number, raw_bytes, raw_line, rule_id, code, quarantined_at
) FROM STDIN (FORMAT csv)

-- name: counts
SELECT q.code, count(*)
FROM greenstream.quarantined_row q
JOIN greenstream.source_file d USING (source_file_id)
WHERE (%(with_closed)s OR greenstream.is_open(q))
  AND (%(source_file)s::text IS NULL OR d.path = %(source_file)s)
  AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
  AND (%(code)s::text IS NULL OR q.code = %(code)s)
  AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
GROUP BY q.code
ORDER BY count(*) DESC, q.code

-- name: discard
WITH discarded AS (
    UPDATE greenstream.quarantined_row q
    SET discarded_at = %(now)s, discard_reason = %(reason)s
    FROM greenstream.source_file d
    WHERE d.source_file_id = q.source_file_id
      AND greenstream.is_open(q)
      AND (%(source_file)s::text IS NULL OR d.path = %(source_file)s)
      AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
      AND (%(code)s::text IS NULL OR q.code = %(code)s)
      AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
    RETURNING q.code
)
SELECT code, count(*) FROM discarded GROUP BY code ORDER BY code

-- name: list
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
WHERE (%(with_closed)s OR greenstream.is_open(q))
  AND (%(source_file)s::text IS NULL OR d.path = %(source_file)s)
  AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
  AND (%(code)s::text IS NULL OR q.code = %(code)s)
  AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
ORDER BY q.quarantined_at DESC, q.source_file_id DESC, q.line_number
LIMIT %(limit)s

-- name: show
SELECT
    d.path AS source_file,
    q.line_number,
    q.rule_id,
    q.code,
    q.raw_line,
    encode(q.raw_bytes, 'hex') AS raw_bytes,
    q.quarantined_at,
    q.replayed_at,
    q.discarded_at,
    q.discard_reason,
    d.received_at,
    d.processed_at,
    d.pipeline_version
FROM greenstream.quarantined_row q
JOIN greenstream.source_file d USING (source_file_id)
WHERE d.path = %(source_file)s AND q.line_number = %(line_number)s
ORDER BY q.source_file_id
