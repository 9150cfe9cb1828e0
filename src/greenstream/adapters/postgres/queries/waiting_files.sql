-- name: add
-- A file that waits already as this, but for its rights or links, came when it was first seen. Told is when the one
-- came that it replaces, which nobody has read.
WITH before AS (SELECT * FROM greenstream.waiting_file WHERE path = %(path)s),
same AS (
    SELECT received_at
    FROM before
    WHERE version = %(version)s OR modified_at = %(modified_at)s AND size_bytes = %(size_bytes)s
)
INSERT INTO greenstream.waiting_file (path, size_bytes, received_at, modified_at, version, route, queued_at)
VALUES (
    %(path)s, %(size_bytes)s, coalesce((SELECT received_at FROM same), %(received_at)s), %(modified_at)s,
    %(version)s, %(route)s, %(now)s
)
ON CONFLICT (path) DO UPDATE
SET size_bytes = excluded.size_bytes,
    received_at = excluded.received_at,
    modified_at = excluded.modified_at,
    version = excluded.version,
    route = excluded.route
RETURNING (SELECT received_at FROM before WHERE NOT EXISTS (SELECT FROM same))

-- name: crashed
-- A file that was put off wasn't being worked on when its worker was lost.
UPDATE greenstream.waiting_file
SET state = 'waiting',
    crashes = crashes + CASE state WHEN 'running' THEN 1 ELSE 0 END,
    error = CASE state WHEN 'running' THEN %(error)s ELSE error END
WHERE path = %(path)s
RETURNING crashes

-- name: forget
DELETE FROM greenstream.waiting_file WHERE path = %(path)s

-- name: oldest
SELECT min(queued_at) FROM greenstream.waiting_file WHERE state <> 'running'

-- name: outage
UPDATE greenstream.waiting_file
SET state = 'retrying', error = %(error)s, next_at = %(next_at)s
WHERE path = %(path)s AND state = 'running'

-- name: overdue
SELECT path, route FROM greenstream.waiting_file
WHERE (state = 'waiting' AND queued_at < %(before)s) OR (state = 'retrying' AND next_at < %(before)s)
ORDER BY queued_at

-- name: retry
UPDATE greenstream.waiting_file
SET state = 'retrying', attempts = %(attempts)s, error = %(error)s, next_at = %(next_at)s
WHERE path = %(path)s

-- name: start
UPDATE greenstream.waiting_file SET state = 'running', started_at = %(now)s, next_at = NULL
WHERE path = %(path)s
RETURNING attempts

-- name: unknown
-- Which of some landed files have neither ended nor are waiting. Lines that are older than versions have the file's
-- own time.
SELECT n.path
FROM unnest(%(paths)s::text[], %(versions)s::text[], %(modified)s::timestamptz[]) AS n (path, version, modified_at)
WHERE NOT EXISTS (
    SELECT FROM greenstream.source_file f WHERE f.path = n.path AND f.version = n.version
)
AND NOT EXISTS (
    SELECT FROM greenstream.source_file f
    WHERE f.path = n.path AND f.version IS NULL AND f.modified_at = n.modified_at
)
AND NOT EXISTS (
    SELECT FROM greenstream.waiting_file w
    WHERE w.path = n.path AND (w.version = n.version OR w.version IS NULL AND w.modified_at = n.modified_at)
)
