UPDATE greenstream.waiting_file
SET state = 'retrying', error = %(error)s, next_at = %(next_at)s
WHERE path = %(path)s AND state = 'running'
