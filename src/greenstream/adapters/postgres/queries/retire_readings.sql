DELETE FROM greenstream.reading WHERE reading_at >= %(start)s AND reading_at < %(stop)s
