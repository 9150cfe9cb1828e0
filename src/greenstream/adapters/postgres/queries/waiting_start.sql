UPDATE greenstream.waiting_file SET state = 'running', started_at = %(now)s, next_at = NULL
WHERE path = %(path)s
RETURNING attempts
