SELECT path, route FROM greenstream.waiting_file
WHERE (state = 'waiting' AND queued_at < %(before)s) OR (state = 'retrying' AND next_at < %(before)s)
ORDER BY queued_at
