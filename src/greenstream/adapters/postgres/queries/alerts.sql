-- name: acknowledge
UPDATE greenstream.alert a
SET acknowledged_at = %(now)s
WHERE greenstream.is_open(a)
AND (%(ids)s::bigint[] IS NULL OR alert_id = ANY (%(ids)s))
AND (%(code)s::text IS NULL OR code = %(code)s)
RETURNING alert_id

-- name: add_message
WITH old AS (DELETE FROM greenstream.alert_message WHERE sent_at < %(now)s::timestamptz - interval '1 day')
INSERT INTO greenstream.alert_message (channel, sent_at, alerts) VALUES (%(channel)s, %(now)s, %(alerts)s)

-- name: bad_files
SELECT path, rows, rejected, processed_at
FROM greenstream.source_file f
WHERE processed_at > %(since)s
AND outcome = 'loaded'
AND rows >= %(min_rows)s
AND rejected > %(max_share)s * rows
AND NOT EXISTS (
    SELECT FROM greenstream.alert a
    WHERE a.code = %(code)s AND md5(a.subject) = md5(f.path) AND a.last_at >= f.processed_at
)
ORDER BY processed_at, source_file_id

-- name: dirty_days
SELECT day, dirty_since FROM greenstream.day WHERE dirty_since IS NOT NULL ORDER BY day

-- name: due
SELECT a.alert_id, a.code, a.severity, a.subject, a.message, a.count, a.first_at, a.last_at
FROM greenstream.alert a
LEFT JOIN greenstream.alert_told t
    ON t.channel = %(channel)s AND t.code = a.code AND md5(t.subject) = md5(a.subject)
WHERE greenstream.is_open(a)
AND (
    t.channel IS NULL
    OR t.told_at <= %(told_before)s AND (t.alert_id <> a.alert_id OR a.count > t.count OR a.last_at > t.told_at)
)
AND NOT (a.code = 'ALERT_CHANNEL_DOWN' AND a.subject = %(channel)s)
ORDER BY array_position(ARRAY['error', 'warning', 'info'], a.severity), a.first_at, a.alert_id

-- name: end
UPDATE greenstream.alert a
SET resolved_at = %(now)s
FROM unnest(%(codes)s::text[], %(subjects)s::text[]) AS e (code, subject)
WHERE a.code = e.code AND md5(a.subject) = md5(e.subject) AND a.resolved_at IS NULL

-- name: end_dead_letters
UPDATE greenstream.alert a
SET resolved_at = %(now)s
WHERE a.code = 'DEAD_LETTER'
AND greenstream.is_open(a)
AND NOT EXISTS (
    SELECT FROM greenstream.dead_letter d
    WHERE md5(d.path) = md5(a.subject) AND greenstream.is_open(d)
)

-- name: end_silent
UPDATE greenstream.alert
SET resolved_at = %(now)s
WHERE code = %(code)s AND last_at < %(since)s AND resolved_at IS NULL

-- name: going_on
SELECT code, subject FROM greenstream.alert WHERE code = ANY (%(codes)s) AND resolved_at IS NULL

-- name: hold
-- A condition that goes on is the alert it was, even one that a person has seen.
WITH held AS (
    SELECT *
    FROM unnest(%(codes)s::text[], %(severities)s::text[], %(subjects)s::text[], %(messages)s::text[])
        AS h (code, severity, subject, message)
), going_on AS (
    UPDATE greenstream.alert a
    SET last_at = %(now)s, message = h.message
    FROM held h
    WHERE a.code = h.code AND md5(a.subject) = md5(h.subject) AND a.resolved_at IS NULL
    RETURNING h.code, h.subject
)
INSERT INTO greenstream.alert (code, severity, subject, message, first_at, last_at)
SELECT h.code, h.severity, h.subject, h.message, %(now)s, %(now)s
FROM held h
WHERE (h.code, h.subject) NOT IN (SELECT code, subject FROM going_on)

-- name: lock_checking
SELECT pg_try_advisory_xact_lock(hashtext('greenstream alerts checked'))

-- name: lock_sending
-- Held by the session: whoever dies while sending lets the next one send.
SELECT pg_try_advisory_lock(hashtext('greenstream alerts sent'))

-- name: mark_told
INSERT INTO greenstream.alert_told AS t (channel, code, subject, alert_id, count, told_at)
SELECT %(channel)s, a.code, a.subject, a.alert_id, n.count, %(now)s
FROM unnest(%(alerts)s::bigint[], %(counts)s::bigint[]) AS n (alert_id, count)
JOIN greenstream.alert a USING (alert_id)
ON CONFLICT (channel, code, md5(subject))
DO UPDATE SET alert_id = excluded.alert_id, count = excluded.count, told_at = excluded.told_at

-- name: messages
SELECT count(*) FROM greenstream.alert_message WHERE channel = %(channel)s AND sent_at > %(since)s

-- name: raise
INSERT INTO greenstream.alert (code, severity, subject, message, first_at, last_at)
VALUES (%(code)s, %(severity)s, %(subject)s, %(message)s, %(at)s, %(at)s)
ON CONFLICT (code, md5(subject)) WHERE acknowledged_at IS NULL AND resolved_at IS NULL
DO UPDATE SET count = alert.count + 1, last_at = greatest(alert.last_at, excluded.last_at), message = excluded.message

-- name: regions
-- The first and the last file that brought new readings of a region.
SELECT g.region, min(f.received_at) AS first, max(f.received_at) AS last
FROM greenstream.source_file f
JOIN greenstream.load l USING (source_file_id)
JOIN greenstream.grade_count g USING (load_id)
WHERE f.processed_at > %(since)s AND f.received_at > %(since)s AND f.outcome = 'loaded'
GROUP BY g.region
ORDER BY g.region

-- name: sources
-- The source of `raw-data/2024-03-20/zone7_20240320T1845.csv` is zone7.
SELECT coalesce(nullif(rtrim(beginning, '_- '), ''), 'unnamed') AS source, sum(rows)::bigint AS rows, sum(rejected)::bigint AS rejected
FROM (
    SELECT regexp_replace(regexp_replace(path, '^.*/', ''), '([0-9]{4}|\.).*$', '') AS beginning, rows, rejected
    FROM greenstream.source_file
    WHERE processed_at > %(since)s AND outcome = 'loaded'
) f
GROUP BY source
HAVING sum(rejected) > 0
ORDER BY source

-- name: unlock_sending
SELECT pg_advisory_unlock(hashtext('greenstream alerts sent'))
