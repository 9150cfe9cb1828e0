-- name: begin
-- From now on no reading of it is taken in, up to this moment. `days` are those on which the lake may have some.
INSERT INTO greenstream.erasure (meter_sha256, until, reason, requested_at, days)
SELECT decode(%(meter_sha256)s, 'hex'), %(now)s, %(reason)s, %(now)s, coalesce(array_agg(DISTINCT day), '{}')
FROM greenstream.meter_day WHERE meter_key = %(meter_key)s
RETURNING erasure_id

-- name: broken_off
SELECT path, encode(rewriting_sha256, 'hex') FROM greenstream.source_file WHERE rewriting_sha256 IS NOT NULL

-- name: complete
UPDATE greenstream.erasure SET completed_at = %(now)s WHERE erasure_id = %(erasure_id)s

-- name: days
SELECT unnest(days) AS day FROM greenstream.erasure WHERE erasure_id = %(erasure_id)s ORDER BY 1

-- name: done_with
UPDATE greenstream.source_file SET to_erase = false WHERE source_file_id = %(source_file_id)s

-- name: erased
SELECT encode(meter_sha256, 'hex'), until FROM greenstream.erasure

-- name: findings
WITH rows AS (DELETE FROM greenstream.row_finding WHERE meter_key = %(meter_key)s RETURNING 1),
windows AS (DELETE FROM greenstream.window_finding WHERE meter_key = %(meter_key)s RETURNING 1),
alerts AS (DELETE FROM greenstream.alert WHERE subject = %(meter_id)s RETURNING 1),
told AS (DELETE FROM greenstream.alert_told WHERE subject = %(meter_id)s)
SELECT (SELECT count(*) FROM rows) + (SELECT count(*) FROM windows) + (SELECT count(*) FROM alerts) AS deleted

-- name: forget_rewriting
UPDATE greenstream.source_file SET rewriting_sha256 = NULL WHERE path = %(path)s AND rewriting_sha256 IS NOT NULL

-- name: known
-- The key of a meter, if it is known, and the erasure that was begun and isn't complete.
SELECT
    (SELECT meter_key FROM greenstream.meter WHERE meter_id = %(meter_id)s),
    (
        SELECT max(erasure_id) FROM greenstream.erasure
        WHERE meter_sha256 = decode(%(meter_sha256)s, 'hex') AND completed_at IS NULL
    )

-- name: lock
-- Whoever loads at this moment ends before, or notices that the meter is gone and starts anew.
LOCK TABLE greenstream.meter_activity IN SHARE ROW EXCLUSIVE MODE

-- name: mark
UPDATE greenstream.source_file SET to_erase = true WHERE source_file_id = %(source_file_id)s

-- name: mark_duplicate
-- The same content was loaded before, and some of it erased since.
UPDATE greenstream.source_file f SET to_erase = true
WHERE f.path = %(path)s
  AND f.version = %(version)s
  AND f.sha256 = %(sha256)s
  AND f.outcome = 'duplicate'
  AND EXISTS (
      SELECT FROM greenstream.source_file o
      WHERE o.sha256 = f.sha256 AND o.outcome = 'loaded' AND (o.raw_sha256 IS NOT NULL OR o.to_erase)
  )

-- name: meter
-- What else is known of it.
WITH days AS (DELETE FROM greenstream.meter_day WHERE meter_key = %(meter_key)s),
reliability AS (DELETE FROM greenstream.meter_reliability WHERE meter_key = %(meter_key)s),
superseded AS (DELETE FROM greenstream.superseded_reading WHERE meter_key = %(meter_key)s),
thawed AS (DELETE FROM greenstream.thawed WHERE meter_key = %(meter_key)s),
unwatched AS (
    UPDATE greenstream.unwatched SET meters = array_remove(meters, %(meter_key)s::integer)
    WHERE %(meter_key)s::integer = ANY(meters)
),
activity AS (DELETE FROM greenstream.meter_activity WHERE meter_key = %(meter_key)s)
SELECT

-- name: meter_itself
DELETE FROM greenstream.meter WHERE meter_key = %(meter_key)s

-- name: quarantined
-- Rejected rows in which the meter_id stands as a whole word.
DELETE FROM greenstream.quarantined_row WHERE raw_line ~ %(pattern)s

-- name: readings
-- The meter's readings.
WITH gone AS (
    DELETE FROM greenstream.reading WHERE meter_key = %(meter_key)s RETURNING *
)
INSERT INTO taken_out SELECT * FROM gone

-- name: rewriting
-- Said before the raw file is written, so that a delivery isn't seen in it if we are killed.
UPDATE greenstream.source_file
SET rewriting_sha256 = decode(%(new)s, 'hex')
WHERE path = %(path)s AND coalesce(raw_sha256, sha256) = decode(%(old)s, 'hex')

-- name: rewritten
-- The raw file has other bytes by now, and another version; all deliveries that had the former bytes have these.
WITH same AS (
    SELECT source_file_id
    FROM greenstream.source_file
    WHERE path = %(path)s
      AND (
          rewriting_sha256 = decode(%(new)s, 'hex')
          OR coalesce(raw_sha256, sha256) = decode(%(old)s, 'hex')
      )
),
newest AS (SELECT max(source_file_id) AS source_file_id FROM same),
waiting AS (
    UPDATE greenstream.waiting_file
    SET version = %(version)s, modified_at = %(modified_at)s, size_bytes = %(size_bytes)s
    WHERE path = %(path)s AND version = %(was_version)s
)
UPDATE greenstream.source_file f
SET raw_sha256 = decode(%(new)s, 'hex'),
    rewriting_sha256 = NULL,
    to_erase = false,
    version = CASE WHEN f.source_file_id = n.source_file_id THEN %(version)s ELSE f.version END,
    modified_at = CASE WHEN f.source_file_id = n.source_file_id THEN %(modified_at)s ELSE f.modified_at END
FROM same s, newest n
WHERE f.source_file_id = s.source_file_id

-- name: waiting
-- With the loaded file of the same content, if its raw file was cleaned before.
SELECT
    f.source_file_id, f.processed_at, o.source_file_id IS NOT NULL,
    d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at,
    c.path, c.size_bytes, c.received_at, c.sha256, c.modified_at, c.version, c.replaced_at
FROM greenstream.source_file f
JOIN greenstream.delivery d USING (source_file_id)
LEFT JOIN greenstream.source_file o
    ON f.outcome = 'duplicate' AND o.sha256 = f.sha256 AND o.outcome = 'loaded' AND o.raw_sha256 IS NOT NULL
LEFT JOIN greenstream.delivery c ON c.source_file_id = o.source_file_id
WHERE f.to_erase
ORDER BY f.source_file_id
