-- name: clear_reliability
DELETE FROM greenstream.meter_reliability WHERE day = %(day)s

-- name: copy_reliability
COPY greenstream.meter_reliability (day, meter_key, usable, slots, reliability) FROM STDIN (FORMAT csv)

-- name: due_days
-- Days before one, with readings, that were never settled or have changed since. Of loads that the history rules have not
-- seen only the days are known.
SELECT d.day
FROM greenstream.day d
WHERE d.dirty_since IS NOT NULL
  AND d.day < %(before)s
  AND (
      EXISTS (SELECT FROM greenstream.meter_day m WHERE m.day = d.day)
      OR EXISTS (SELECT FROM greenstream.unwatched u WHERE u.day = d.day)
  )
ORDER BY d.day

-- name: findings
-- Findings whose window touches a span of time: all, and those that go on.
SELECT code, count(*), count(*) FILTER (WHERE greenstream.is_open(w))
FROM greenstream.window_finding w
WHERE window_start < %(stop)s AND window_end >= %(start)s
GROUP BY code
ORDER BY code

-- name: flipped
-- Of a retired day, the meters that are judged otherwise now than when it was settled before.
SELECT n.meter_key
FROM unnest(%(meters)s::integer[], %(reliability)s::double precision[]) AS n (meter_key, reliability)
JOIN greenstream.day d ON d.day = %(day)s AND d.retired_at IS NOT NULL
LEFT JOIN greenstream.meter_reliability r ON r.day = d.day AND r.meter_key = n.meter_key
WHERE coalesce(n.reliability > %(min_reliability)s, true) <> coalesce(r.reliability > %(min_reliability)s, true)
ORDER BY n.meter_key

-- name: lock_day
-- Loads into the day hold it shared until they are committed; new ones wait.
SELECT day FROM greenstream.day WHERE day = %(day)s FOR UPDATE

-- name: mark_day
UPDATE greenstream.day SET state = 'settled', dirty_since = NULL, settled_at = %(now)s WHERE day = %(day)s

-- name: meters
-- What is known of a meter is from its last settled day.
UPDATE greenstream.meter m
SET reliability = r.reliability
FROM greenstream.meter_reliability r
WHERE r.day = %(day)s
  AND r.meter_key = m.meter_key
  AND m.reliability IS DISTINCT FROM r.reliability
  AND NOT EXISTS (
      SELECT FROM greenstream.meter_reliability later WHERE later.meter_key = m.meter_key AND later.day > %(day)s
  )

-- name: scores
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
