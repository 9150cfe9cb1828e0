INSERT INTO greenstream.waiting_file (path, size_bytes, received_at, route, queued_at)
VALUES (%(path)s, %(size_bytes)s, %(received_at)s, %(route)s, %(now)s)
ON CONFLICT (path) DO UPDATE
SET size_bytes = excluded.size_bytes, received_at = excluded.received_at, route = excluded.route
