-- Take readings out, with their findings, and keep them apart.
WITH gone AS (
    DELETE FROM greenstream.reading r
    USING unnest(%(meters)s::integer[], %(times)s::timestamptz[], %(ids)s::bytea[]) AS n (meter_key, reading_at, record_id)
    WHERE r.meter_key = n.meter_key AND r.reading_at = n.reading_at AND r.record_id = n.record_id
    RETURNING r.*
),
kept AS (
    INSERT INTO greenstream.superseded_reading SELECT gone.*, %(now)s, %(version)s FROM gone
),
findings AS (
    DELETE FROM greenstream.row_finding f
    USING gone
    WHERE f.meter_key = gone.meter_key AND f.reading_at = gone.reading_at AND f.record_id = gone.record_id
)
INSERT INTO taken_out SELECT * FROM gone
