-- Many ids in one value: ten times as fast as COPY, whose rows come one by one. No value gets big: it is of 4,096 meters.
SELECT location_key, string_agg(record_id, ''::bytea)
FROM greenstream.reading
WHERE reading_at >= %(start)s AND reading_at < %(stop)s
GROUP BY location_key, load_id, meter_key / 4096
