INSERT INTO greenstream.grade_count AS known (load_id, day, region, grade, readings)
SELECT load_id, %(day)s, region, grade, sum(change)
FROM (
    SELECT load_id, region, grade, 1 AS change FROM pg_temp.rejudged
    UNION ALL
    SELECT old_load_id, region, old_grade, -1 FROM pg_temp.rejudged
) AS both_ways
GROUP BY load_id, region, grade
ON CONFLICT (load_id, day, region, grade) DO UPDATE SET readings = known.readings + excluded.readings
