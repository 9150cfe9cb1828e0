-- The meter's readings.
WITH gone AS (
    DELETE FROM greenstream.reading WHERE meter_key = %(meter_key)s RETURNING *
)
INSERT INTO taken_out SELECT * FROM gone
