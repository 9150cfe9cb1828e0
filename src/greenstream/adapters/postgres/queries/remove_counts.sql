-- Take the readings that go out of the counts.
WITH placed AS (
    SELECT t.load_id, t.grade, t.flags, l.region, (t.reading_at AT TIME ZONE s.timezone)::date AS day
    FROM taken_out t JOIN greenstream.location l USING (location_key) CROSS JOIN greenstream.site s
),
grades AS (
    UPDATE greenstream.grade_count c
    SET readings = c.readings - n.readings
    FROM (SELECT load_id, day, region, grade, count(*) AS readings FROM placed GROUP BY 1, 2, 3, 4) AS n
    WHERE c.load_id = n.load_id AND c.day = n.day AND c.region = n.region AND c.grade = n.grade
)
UPDATE greenstream.flag_count c
SET readings = c.readings - n.readings
FROM (
    SELECT p.load_id, p.day, p.region, f.flag, count(*) AS readings
    FROM placed p JOIN greenstream.flag f ON p.flags & f.flag <> 0
    GROUP BY 1, 2, 3, 4
) AS n
WHERE c.load_id = n.load_id AND c.day = n.day AND c.region = n.region AND c.flag = n.flag
