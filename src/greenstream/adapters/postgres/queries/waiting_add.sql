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
