DELETE FROM greenstream.source_file
WHERE path = %(path)s AND received_at = %(received_at)s AND sha256 = %(sha256)s AND outcome = 'failed'
