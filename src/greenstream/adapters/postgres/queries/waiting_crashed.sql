UPDATE greenstream.waiting_file
SET state = 'waiting', crashes = crashes + 1, error = %(error)s
WHERE path = %(path)s
RETURNING crashes
