SELECT count(*) FROM greenstream.superseded_reading WHERE reading_at >= %(start)s AND reading_at < %(stop)s
