COPY (
    SELECT location_key, record_id
    FROM greenstream.reading
    WHERE reading_at >= %(start)s AND reading_at < %(stop)s
) TO STDOUT (FORMAT binary)
