-- name: add
INSERT INTO greenstream.dead_letter AS known (path, error, traceback, attempts, failed_at)
VALUES (%(path)s, %(error)s, %(traceback)s, %(attempts)s, %(failed_at)s)
ON CONFLICT (md5(path)) WHERE replayed_at IS NULL AND discarded_at IS NULL
DO UPDATE SET error = excluded.error, traceback = excluded.traceback,
    attempts = known.attempts + excluded.attempts, failed_at = excluded.failed_at

-- name: close
-- The file has come to an end after all.
UPDATE greenstream.dead_letter d
SET replayed_at = %(now)s
WHERE md5(path) = md5(%(path)s) AND path = %(path)s AND greenstream.is_open(d)

-- name: discard
UPDATE greenstream.dead_letter d
SET discarded_at = %(now)s, discard_reason = %(reason)s
WHERE dead_letter_id = %(id)s AND greenstream.is_open(d)
RETURNING dead_letter_id

-- name: list
-- The newest first.
SELECT dead_letter_id AS id, path AS source_file, error, attempts, failed_at, replayed_at, discarded_at
FROM greenstream.dead_letter d
WHERE %(with_closed)s OR greenstream.is_open(d)
ORDER BY failed_at DESC, dead_letter_id DESC

-- name: show
SELECT
    dead_letter_id AS id, path AS source_file, error, attempts, failed_at, replayed_at, discarded_at, discard_reason, traceback
FROM greenstream.dead_letter
WHERE dead_letter_id = %(id)s
