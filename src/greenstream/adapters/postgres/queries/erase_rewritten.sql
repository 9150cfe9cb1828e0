-- The raw file has other bytes by now; on some stores another time, too.
UPDATE greenstream.source_file
SET raw_sha256 = decode(%(sha256)s, 'hex'), to_erase = false, received_at = %(received_at)s
WHERE path = %(path)s AND received_at = %(was_received_at)s
