-- A file that failed before its content was read has no hash.
DELETE FROM greenstream.source_file
WHERE path = %(path)s AND received_at = %(received_at)s AND sha256 IN (%(sha256)s, '') AND outcome = 'failed'
