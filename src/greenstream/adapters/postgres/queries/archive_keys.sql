-- The meters whose readings of a day are here; of a retired day those that were brought back, even without any.
SELECT meter_key FROM greenstream.thawed WHERE day = %(day)s
UNION
SELECT meter_key FROM greenstream.reading WHERE reading_at >= %(start)s AND reading_at < %(stop)s
