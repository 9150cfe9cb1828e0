-- name: days
-- From the counts: readings are never scanned for it. Retired days have none here.
SELECT day FROM (
    SELECT day FROM greenstream.flag_count WHERE flag & %(flags)s <> 0 AND readings > 0
    UNION
    SELECT day FROM greenstream.grade_count WHERE %(flags)s = 0 AND readings > 0
) AS found
WHERE NOT EXISTS (SELECT FROM greenstream.day d WHERE d.day = found.day AND d.retired_at IS NOT NULL)
  AND (%(first)s::date IS NULL OR day >= %(first)s)
  AND (%(last)s::date IS NULL OR day <= %(last)s)
ORDER BY day

-- name: lock_file
SELECT FROM greenstream.source_file WHERE source_file_id = %(source_file_id)s FOR NO KEY UPDATE

-- name: move_ledger
-- The file's ledger afterwards, and how many of its rows are in the quarantine, discarded ones too.
UPDATE greenstream.source_file f
SET rejected = f.rejected - %(passed)s, stored = f.stored + %(stored)s, duplicate = f.duplicate + %(duplicate)s
WHERE f.source_file_id = %(source_file_id)s
RETURNING f.rows, f.stored, f.duplicate, f.rejected, (
    SELECT count(*) FROM greenstream.quarantined_row q
    WHERE q.source_file_id = f.source_file_id AND q.replayed_at IS NULL
)

-- name: open_lines
-- Held until the end: another replay, or a person who discards them, waits.
SELECT line_number
FROM greenstream.quarantined_row q
WHERE source_file_id = %(source_file_id)s AND greenstream.is_open(q)
ORDER BY line_number
FOR UPDATE

-- name: readings
-- A batch of a day's readings, after the last one of the batch before, by the key.
SELECT
    r.reading_at,
    r.meter_key,
    encode(r.record_id, 'hex'),
    r.load_id,
    r.energy_value,
    r.power,
    r.flags,
    r.quality_score,
    r.grade,
    r.period,
    r.season,
    r.reliable,
    l.region,
    d.path
FROM greenstream.reading r
JOIN greenstream.location l USING (location_key)
JOIN greenstream.load o USING (load_id)
JOIN greenstream.source_file d USING (source_file_id)
WHERE r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s
  AND (%(flags)s = 0 OR r.flags & %(flags)s <> 0)
  AND (r.meter_key, r.reading_at, r.record_id) > (%(meter_key)s, %(reading_at)s, decode(%(record_id)s, 'hex'))
ORDER BY r.meter_key, r.reading_at, r.record_id
LIMIT %(batch)s

-- name: recode
UPDATE greenstream.quarantined_row q
SET code = n.code, rule_id = n.rule_id
FROM unnest(%(lines)s::bigint[], %(codes)s::text[], %(rule_ids)s::text[]) AS n (line_number, code, rule_id)
WHERE q.source_file_id = %(source_file_id)s AND q.line_number = n.line_number AND q.code <> n.code

-- name: release
UPDATE greenstream.quarantined_row
SET replayed_at = %(now)s
WHERE source_file_id = %(source_file_id)s AND line_number = ANY(%(lines)s)

-- name: waiting_files
-- The loaded files with chosen rows that wait.
SELECT source_file_id, path, size_bytes, received_at, sha256, modified_at, version, replaced_at
FROM greenstream.delivery f
WHERE (%(source_file)s::text IS NULL OR f.path = %(source_file)s)
  AND EXISTS (
      SELECT FROM greenstream.quarantined_row q
      WHERE q.source_file_id = f.source_file_id
        AND greenstream.is_open(q)
        AND (%(lines)s::bigint[] IS NULL OR q.line_number = ANY(%(lines)s))
        AND (%(code)s::text IS NULL OR q.code = %(code)s)
        AND (%(rule_id)s::text IS NULL OR q.rule_id = %(rule_id)s)
        AND (%(since)s::timestamptz IS NULL OR q.quarantined_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR q.quarantined_at < %(until)s)
  )
ORDER BY source_file_id

-- name: waiting_rows
SELECT line_number, code, CASE WHEN %(texts)s THEN raw_line END, CASE WHEN %(texts)s THEN raw_bytes END
FROM greenstream.quarantined_row q
WHERE source_file_id = %(source_file_id)s
  AND greenstream.is_open(q)
  AND (%(lines)s::bigint[] IS NULL OR line_number = ANY(%(lines)s))
  AND (%(code)s::text IS NULL OR code = %(code)s)
  AND (%(rule_id)s::text IS NULL OR rule_id = %(rule_id)s)
  AND (%(since)s::timestamptz IS NULL OR quarantined_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR quarantined_at < %(until)s)
ORDER BY line_number
