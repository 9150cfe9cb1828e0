DELETE FROM greenstream.row_finding f
USING pg_temp.rejudged n
WHERE f.meter_key = n.meter_key AND f.reading_at = n.reading_at AND f.record_id = n.record_id
