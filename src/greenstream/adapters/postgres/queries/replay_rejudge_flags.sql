INSERT INTO greenstream.flag_count AS known (load_id, day, region, flag, readings)
SELECT b.load_id, %(day)s, b.region, f.flag, sum(b.change)
FROM (
    SELECT load_id, region, flags, 1 AS change FROM pg_temp.rejudged
    UNION ALL
    SELECT old_load_id, region, old_flags, -1 FROM pg_temp.rejudged
) AS b
JOIN greenstream.flag f ON b.flags & f.flag <> 0
GROUP BY b.load_id, b.region, f.flag
ON CONFLICT (load_id, day, region, flag) DO UPDATE SET readings = known.readings + excluded.readings
