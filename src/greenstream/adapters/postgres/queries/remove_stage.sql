-- Readings on their way out.
CREATE TEMP TABLE taken_out (LIKE greenstream.reading) ON COMMIT DROP
