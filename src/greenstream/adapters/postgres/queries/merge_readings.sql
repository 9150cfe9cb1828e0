INSERT INTO greenstream.reading
SELECT * FROM pg_temp.incoming_reading
ON CONFLICT (meter_key, reading_at, record_id) DO NOTHING
RETURNING line_number
