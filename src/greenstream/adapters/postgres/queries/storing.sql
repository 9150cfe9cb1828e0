-- name: add_flag_counts
INSERT INTO greenstream.flag_count (load_id, day, region, flag, readings)
SELECT %(load_id)s, n.day, n.region, n.flag, n.readings
FROM unnest(%(days)s::date[], %(regions)s::text[], %(codes)s::smallint[], %(readings)s::bigint[])
    AS n (day, region, flag, readings)

-- name: add_grade_counts
INSERT INTO greenstream.grade_count (load_id, day, region, grade, readings)
SELECT %(load_id)s, n.day, n.region, n.grade, n.readings
FROM unnest(%(days)s::date[], %(regions)s::text[], %(codes)s::smallint[], %(readings)s::bigint[])
    AS n (day, region, grade, readings)

-- name: add_load
INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version)
VALUES (%(source_file_id)s, %(processed_at)s, %(version)s)
RETURNING load_id

-- name: add_locations
INSERT INTO greenstream.location (location, customer_class, region)
SELECT n.location, n.customer_class, n.region
FROM unnest(%(locations)s::text[], %(classes)s::text[], %(regions)s::text[]) AS n (location, customer_class, region)
LEFT JOIN greenstream.location l USING (location)
WHERE l.location_key IS NULL
ORDER BY n.location
ON CONFLICT (location) DO NOTHING

-- name: add_meters
INSERT INTO greenstream.meter (meter_id, location_key)
SELECT n.meter_id, n.location_key
FROM unnest(%(meters)s::text[], %(locations)s::integer[]) AS n (meter_id, location_key)
LEFT JOIN greenstream.meter m USING (meter_id)
WHERE m.meter_key IS NULL
ORDER BY n.meter_id
ON CONFLICT (meter_id) DO NOTHING

-- name: add_unwatched
INSERT INTO greenstream.unwatched (load_id, day, first_at, last_at, meters)
VALUES (%(load_id)s, %(day)s, %(first_at)s, %(last_at)s, %(meters)s)

-- name: close_file
UPDATE greenstream.source_file
SET rows = %(rows)s, stored = %(stored)s, duplicate = %(duplicate)s, rejected = %(rejected)s,
    ignored_columns = %(ignored_columns)s
WHERE source_file_id = %(source_file_id)s

-- name: copy_findings
COPY greenstream.row_finding (reading_at, load_id, meter_key, flag, record_id, energy_value) FROM STDIN (FORMAT csv)

-- name: copy_readings
COPY greenstream.reading (
    reading_at, load_id, power, meter_key, location_key, line_number, flags, quality_score, period, season, grade,
    record_id, energy_value, reliable
) FROM STDIN (FORMAT csv)

-- name: empty_stage
TRUNCATE pg_temp.incoming_reading

-- name: location_keys
SELECT l.location_key
FROM unnest(%(locations)s::text[]) WITH ORDINALITY AS n (location, position)
LEFT JOIN greenstream.location l USING (location)
ORDER BY n.position

-- name: lock_days
-- Shared among loads; settling and retention wait for them, and they for those.
SELECT day, retired_at IS NOT NULL FROM greenstream.day
WHERE day = ANY(%(days)s) AND dirty_since IS NOT NULL
ORDER BY day
FOR SHARE

-- name: merge_readings
INSERT INTO greenstream.reading
SELECT * FROM pg_temp.incoming_reading
ON CONFLICT (meter_key, reading_at, record_id) DO NOTHING
RETURNING line_number

-- name: meters
SELECT m.meter_key, m.reliability
FROM unnest(%(meters)s::text[]) WITH ORDINALITY AS n (meter_id, position)
LEFT JOIN greenstream.meter m USING (meter_id)
ORDER BY n.position

-- name: moved_meters
-- Asked once the file holds the activity of these meters, so that no other file moves them meanwhile.
SELECT meter_key
FROM unnest(%(meters)s::integer[], %(locations)s::integer[]) AS n (meter_key, location_key)
JOIN greenstream.meter m USING (meter_key)
WHERE m.location_key <> n.location_key

-- name: relocate_meters
-- To where the newest reading is. Where that is in the lake by now, nothing that comes is newer.
UPDATE greenstream.meter m
SET location_key = newest.location_key
FROM unnest(%(meters)s::integer[]) AS n (meter_key)
CROSS JOIN LATERAL (
    SELECT r.location_key, r.reading_at
    FROM greenstream.ranked_reading r
    WHERE r.meter_key = n.meter_key
    ORDER BY r.reading_at DESC, r.lateness DESC
    LIMIT 1
) newest
JOIN greenstream.meter_activity a ON a.last_seen_at <= newest.reading_at
WHERE m.meter_key = n.meter_key AND a.meter_key = n.meter_key AND m.location_key <> newest.location_key

-- name: remove_counts
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

-- name: remove_stage
-- Readings on their way out.
CREATE TEMP TABLE taken_out (LIKE greenstream.reading) ON COMMIT DROP

-- name: stage_readings
COPY pg_temp.incoming_reading (
    reading_at, load_id, power, meter_key, location_key, line_number, flags, quality_score, period, season, grade,
    record_id, energy_value, reliable
) FROM STDIN (FORMAT csv)

-- name: stage_table
CREATE TEMP TABLE incoming_reading (LIKE greenstream.reading) ON COMMIT DROP

-- name: touch_days
-- Days that are dirty already are left alone: even an update that changes nothing would wait for whoever loads into
-- them, as loads hold their days.
INSERT INTO greenstream.day (day, dirty_since)
SELECT n.day, %(now)s FROM unnest(%(days)s::date[]) AS n (day)
WHERE NOT EXISTS (SELECT FROM greenstream.day d WHERE d.day = n.day AND d.dirty_since IS NOT NULL)
ORDER BY n.day
ON CONFLICT (day) DO UPDATE SET dirty_since = excluded.dirty_since WHERE day.dirty_since IS NULL

-- name: touch_meters
INSERT INTO greenstream.meter_activity AS known (meter_key, first_seen_at, last_seen_at)
SELECT n.meter_key, n.first_seen_at, n.last_seen_at
FROM unnest(%(meters)s::integer[], %(first)s::timestamptz[], %(last)s::timestamptz[])
    AS n (meter_key, first_seen_at, last_seen_at)
ORDER BY n.meter_key
ON CONFLICT (meter_key) DO UPDATE
SET first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
WHERE excluded.first_seen_at < known.first_seen_at OR excluded.last_seen_at > known.last_seen_at
