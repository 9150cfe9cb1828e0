-- The file has come to an end after all.
UPDATE greenstream.dead_letter
SET replayed_at = %(now)s
WHERE md5(path) = md5(%(path)s) AND path = %(path)s AND replayed_at IS NULL AND discarded_at IS NULL
