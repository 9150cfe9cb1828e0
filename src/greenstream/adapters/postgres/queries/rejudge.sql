-- name: copy
COPY pg_temp.rejudged (
    meter_key, reading_at, record_id, load_id, power, flags, quality_score, grade, period, season, energy_value, region,
    old_load_id, old_flags, old_grade, line_number
) FROM STDIN (FORMAT csv)

-- name: deliveries
-- The deliveries behind some loads.
SELECT
    o.load_id,
    d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at
FROM greenstream.load o
JOIN greenstream.delivery d USING (source_file_id)
WHERE o.load_id = ANY(%(load_ids)s)

-- name: empty_stage
TRUNCATE pg_temp.rejudged

-- name: findings_in
INSERT INTO greenstream.row_finding (reading_at, load_id, meter_key, flag, record_id, energy_value)
SELECT n.reading_at, n.load_id, n.meter_key, f.flag, n.record_id, n.energy_value
FROM pg_temp.rejudged n
JOIN greenstream.flag f ON n.flags & f.flag <> 0

-- name: findings_out
DELETE FROM greenstream.row_finding f
USING pg_temp.rejudged n
WHERE f.meter_key = n.meter_key AND f.reading_at = n.reading_at AND f.record_id = n.record_id

-- name: flags
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

-- name: grades
INSERT INTO greenstream.grade_count AS known (load_id, day, region, grade, readings)
SELECT load_id, %(day)s, region, grade, sum(change)
FROM (
    SELECT load_id, region, grade, 1 AS change FROM pg_temp.rejudged
    UNION ALL
    SELECT old_load_id, region, old_grade, -1 FROM pg_temp.rejudged
) AS both_ways
GROUP BY load_id, region, grade
ON CONFLICT (load_id, day, region, grade) DO UPDATE SET readings = known.readings + excluded.readings

-- name: load
INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version)
SELECT source_file_id, processed_at, %(version)s FROM greenstream.load WHERE load_id = %(load_id)s
RETURNING load_id

-- name: lock
SELECT pg_advisory_xact_lock(hashtext('greenstream rejudge'))

-- name: readings
UPDATE greenstream.reading r
SET load_id = n.load_id,
    power = n.power,
    flags = n.flags,
    quality_score = n.quality_score,
    grade = n.grade,
    period = n.period,
    season = n.season,
    line_number = coalesce(n.line_number, r.line_number)
FROM pg_temp.rejudged n
WHERE r.meter_key = n.meter_key
  AND r.reading_at = n.reading_at
  AND r.record_id = n.record_id
  AND r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s

-- name: stage
CREATE TEMP TABLE IF NOT EXISTS rejudged (
    meter_key integer NOT NULL,
    reading_at timestamptz NOT NULL,
    record_id bytea NOT NULL,
    load_id bigint NOT NULL,
    power bigint,
    flags smallint NOT NULL,
    quality_score smallint NOT NULL,
    grade smallint NOT NULL,
    period smallint NOT NULL,
    season smallint NOT NULL,
    energy_value text,
    region text NOT NULL,
    old_load_id bigint NOT NULL,
    old_flags smallint NOT NULL,
    old_grade smallint NOT NULL,
    line_number integer
) ON COMMIT DROP

-- name: unwatched
-- Tell the history rules what has changed.
INSERT INTO greenstream.unwatched AS known (load_id, day, first_at, last_at, meters)
SELECT load_id, %(day)s, min(reading_at), max(reading_at), array_agg(DISTINCT meter_key)
FROM pg_temp.rejudged
GROUP BY load_id
ON CONFLICT (load_id, day) DO UPDATE
SET first_at = least(known.first_at, excluded.first_at),
    last_at = greatest(known.last_at, excluded.last_at),
    meters = ARRAY(SELECT DISTINCT unnest(known.meters || excluded.meters))
