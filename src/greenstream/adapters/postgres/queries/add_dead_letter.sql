INSERT INTO greenstream.dead_letter AS known (path, error, traceback, attempts, failed_at)
VALUES (%(path)s, %(error)s, %(traceback)s, %(attempts)s, %(failed_at)s)
ON CONFLICT (md5(path)) WHERE replayed_at IS NULL AND discarded_at IS NULL
DO UPDATE SET error = excluded.error, traceback = excluded.traceback,
    attempts = known.attempts + excluded.attempts, failed_at = excluded.failed_at
