INSERT INTO greenstream.dead_letter (path, error, traceback, attempts, failed_at)
VALUES (%(path)s, %(error)s, %(traceback)s, %(attempts)s, %(failed_at)s)
