-- Said before the raw file is written, so that a delivery isn't seen in it if we are killed.
UPDATE greenstream.source_file
SET rewriting_sha256 = decode(%(new)s, 'hex')
WHERE path = %(path)s AND coalesce(raw_sha256, sha256) = decode(%(old)s, 'hex')
