UPDATE greenstream.waiting_file
SET state = 'retrying', attempts = %(attempts)s, error = %(error)s, next_at = %(next_at)s
WHERE path = %(path)s
