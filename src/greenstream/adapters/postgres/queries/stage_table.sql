CREATE TEMP TABLE incoming_reading (LIKE greenstream.reading) ON COMMIT DROP
