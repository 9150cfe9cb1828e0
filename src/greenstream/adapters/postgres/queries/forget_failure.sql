-- Also what was given up unseen, without its content's hash.
DELETE FROM greenstream.source_file
WHERE path = %(path)s AND outcome = 'failed' AND (sha256 IS NULL OR version = %(version)s)
