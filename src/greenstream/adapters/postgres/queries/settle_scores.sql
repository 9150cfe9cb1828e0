-- Give the day's readings the score that their meter's reliability on that day makes, and move the counts by grade along.
WITH judged AS (
    SELECT meter_key, coalesce(reliability > %(min_reliability)s, true) AS reliable
    FROM greenstream.meter_reliability
    WHERE day = %(day)s
),
rescored AS (
    UPDATE greenstream.reading r
    SET reliable = j.reliable, quality_score = n.score, grade = n.grade
    FROM judged j
    JOIN unnest(
        %(old_scores)s::smallint[], %(old_grades)s::smallint[], %(reliables)s::boolean[],
        %(scores)s::smallint[], %(grades)s::smallint[]
    ) AS n (old_score, old_grade, reliable, score, grade) ON n.reliable = j.reliable
    WHERE r.reading_at >= %(start)s
      AND r.reading_at < %(stop)s
      AND r.meter_key = j.meter_key
      AND r.reliable <> j.reliable
      AND r.quality_score = n.old_score
    RETURNING r.load_id, r.location_key, n.old_grade, r.grade
),
moved AS (
    SELECT load_id, region, code, sum(change) AS change
    FROM (
        SELECT load_id, location_key, grade AS code, 1 AS change FROM rescored
        UNION ALL
        SELECT load_id, location_key, old_grade, -1 FROM rescored
    ) AS both_ways
    JOIN greenstream.location USING (location_key)
    GROUP BY load_id, region, code
),
counted AS (
    INSERT INTO greenstream.grade_count AS known (load_id, day, region, grade, readings)
    SELECT load_id, %(day)s, region, code, change FROM moved WHERE change <> 0
    ON CONFLICT (load_id, day, region, grade) DO UPDATE SET readings = known.readings + excluded.readings
)
SELECT count(*) FROM rescored
