-- Take readings out, with their findings and counts, and leave word for the history rules.
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
),
placed AS (
    SELECT gone.*, l.region, (gone.reading_at AT TIME ZONE s.timezone)::date AS day
    FROM gone JOIN greenstream.location l USING (location_key) CROSS JOIN greenstream.site s
),
grades AS (
    UPDATE greenstream.grade_count c
    SET readings = c.readings - n.readings
    FROM (SELECT load_id, day, region, grade, count(*) AS readings FROM placed GROUP BY 1, 2, 3, 4) AS n
    WHERE c.load_id = n.load_id AND c.day = n.day AND c.region = n.region AND c.grade = n.grade
),
flags AS (
    UPDATE greenstream.flag_count c
    SET readings = c.readings - n.readings
    FROM (
        SELECT p.load_id, p.day, p.region, f.flag, count(*) AS readings
        FROM placed p JOIN greenstream.flag f ON p.flags & f.flag <> 0
        GROUP BY 1, 2, 3, 4
    ) AS n
    WHERE c.load_id = n.load_id AND c.day = n.day AND c.region = n.region AND c.flag = n.flag
)
INSERT INTO greenstream.unwatched AS known (load_id, day, first_at, last_at, meters)
SELECT load_id, day, min(reading_at), max(reading_at), array_agg(DISTINCT meter_key) FROM placed GROUP BY load_id, day
ON CONFLICT (load_id, day) DO UPDATE
SET first_at = least(known.first_at, excluded.first_at),
    last_at = greatest(known.last_at, excluded.last_at),
    meters = ARRAY(SELECT DISTINCT unnest(known.meters || excluded.meters))
