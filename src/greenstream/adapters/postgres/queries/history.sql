-- name: advance
UPDATE greenstream.site SET watermark = greatest(watermark, %(watermark)s)

-- name: contested
-- As history.values, for meters with several readings in a slot: only the current ones.
SELECT meter_key, array_agg((slot << %(bits)s) + 3 + value)
FROM (
    SELECT DISTINCT ON (r.meter_key, slot)
        r.meter_key,
        date_part('epoch', r.reading_at)::bigint / %(seconds)s - %(first_slot)s AS slot,
        CASE
            WHEN r.power IS NOT NULL THEN greatest(r.power, -1)
            WHEN r.energy_value IS NULL THEN -3
            ELSE -2
        END AS value
    FROM greenstream.ranked_reading r
    WHERE r.reading_at >= %(start)s AND r.reading_at < %(stop)s AND r.meter_key = ANY(%(meters)s)
    ORDER BY r.meter_key, slot, r.precedence DESC
) AS current
GROUP BY meter_key

-- name: copy_days
COPY pg_temp.fresh_meter_day (day, meter_key, slot_values) FROM STDIN (FORMAT binary)

-- name: copy_findings
COPY pg_temp.found (code, meter_key, window_start, window_end, began_earlier, detail) FROM STDIN (FORMAT csv)

-- name: days_held
-- On how many days, from one on, there are values of each of some meters.
SELECT d.meter_key, count(*)
FROM unnest(%(meters)s::integer[]) AS m (meter_key)
JOIN greenstream.meter_day d ON d.meter_key = m.meter_key AND d.day >= %(first_day)s
GROUP BY d.meter_key

-- name: detected
SELECT code, count(*) FROM greenstream.window_finding WHERE detected_at = %(at)s GROUP BY code ORDER BY code

-- name: drop_disproved
-- What is known of these meters and slots, and was not found again.
DELETE FROM greenstream.window_finding k
USING unnest(%(codes)s::text[], %(since)s::timestamptz[]) AS s (code, since)
WHERE k.code = s.code
  AND k.window_end >= s.since
  AND k.meter_key = ANY(%(meters)s)
  AND NOT EXISTS (
      SELECT FROM pg_temp.found n
      WHERE n.meter_key = k.meter_key AND n.code = k.code AND n.window_start = k.window_start
  )

-- name: empty_days
TRUNCATE pg_temp.fresh_meter_day

-- name: empty_findings
TRUNCATE pg_temp.found

-- name: fleet_days
-- The days on which the fleet has any reading.
SELECT d.day
FROM greenstream.day d
WHERE d.day BETWEEN %(first_day)s AND %(last_day)s
  AND EXISTS (SELECT FROM greenstream.meter_day m WHERE m.day = d.day)
ORDER BY d.day

-- name: join_earlier
-- A run whose beginning lies before what was looked at began where the finding that is known of it began.
UPDATE pg_temp.found n
SET window_start = k.window_start
FROM greenstream.window_finding k
WHERE n.began_earlier
  AND k.meter_key = n.meter_key
  AND k.code = n.code
  AND k.window_start < n.window_start
  AND k.window_end >= n.window_start - %(slot)s

-- name: lock
-- One watch or settling at a time.
SELECT pg_advisory_xact_lock(hashtext('greenstream history'))

-- name: mark_alerted
UPDATE greenstream.window_finding SET alerted_at = %(now)s
WHERE alerted_at IS NULL AND detected_at <= %(until)s

-- name: mark_meters
UPDATE greenstream.meter m
SET watched_from = a.first_seen_at
FROM greenstream.meter_activity a
WHERE a.meter_key = m.meter_key AND m.watched_from IS DISTINCT FROM a.first_seen_at

-- name: merge_days
INSERT INTO greenstream.meter_day AS known (day, meter_key, slot_values)
SELECT day, meter_key, slot_values FROM pg_temp.fresh_meter_day ORDER BY day, meter_key
ON CONFLICT (day, meter_key) DO UPDATE SET slot_values = excluded.slot_values
WHERE known.slot_values <> excluded.slot_values

-- name: merge_findings
INSERT INTO greenstream.window_finding AS known (
    meter_key, code, window_start, window_end, record_id, reading_at, load_id, detail, detected_at, resolved_at
)
SELECT
    n.meter_key,
    n.code,
    n.window_start,
    n.window_end,
    r.record_id,
    r.reading_at,
    r.load_id,
    CASE
        WHEN n.detail ? 'run_slots' THEN
            jsonb_build_object(
                'run_slots',
                round(extract(epoch FROM n.window_end - n.window_start) / extract(epoch FROM %(slot)s::interval)) + 1
            )
        WHEN r.record_id IS NOT NULL THEN
            n.detail || jsonb_build_object('kw', (r.power * 0.0001)::numeric(20, 4))
        ELSE n.detail
    END,
    %(now)s,
    CASE WHEN n.window_end < s.open_at THEN n.window_end + %(slot)s::interval END
FROM pg_temp.found n
JOIN unnest(%(codes)s::text[], %(open_at)s::timestamptz[]) AS s (code, open_at) USING (code)
LEFT JOIN LATERAL (
    SELECT c.record_id, c.reading_at, c.load_id, c.power
    FROM greenstream.ranked_reading c
    WHERE c.meter_key = n.meter_key
      AND c.reading_at >= n.window_start
      AND c.reading_at < n.window_start + %(slot)s::interval
    ORDER BY c.precedence DESC
    LIMIT 1
) AS r ON n.code = 'ERRATIC_SPIKE'
ORDER BY n.meter_key, n.code, n.window_start
ON CONFLICT (meter_key, code, window_start) DO UPDATE
SET window_end = excluded.window_end,
    record_id = excluded.record_id,
    reading_at = excluded.reading_at,
    load_id = excluded.load_id,
    detail = excluded.detail,
    resolved_at = excluded.resolved_at
WHERE (known.window_end, known.record_id, known.detail, known.resolved_at)
    IS DISTINCT FROM (excluded.window_end, excluded.record_id, excluded.detail, excluded.resolved_at)

-- name: meter_days
-- Each day's keys and values of meters in one piece: a row a meter would take longer to fetch than to use.
SELECT day, length(slot_values), string_agg(int4send(meter_key) || slot_values, ''::bytea)
FROM greenstream.meter_day
WHERE day BETWEEN %(first_day)s AND %(last_day)s AND meter_key = ANY(%(meters)s)
GROUP BY day, length(slot_values)

-- name: meters
-- Every meter with a reading, or due to have one.
SELECT m.meter_key, a.first_seen_at, m.commissioned, m.decommissioned, m.watched_from
FROM greenstream.meter m
LEFT JOIN greenstream.meter_activity a USING (meter_key)
ORDER BY m.meter_key

-- name: pending
SELECT load_id, day, first_at, last_at, meters FROM greenstream.unwatched ORDER BY load_id, day

-- name: reopen_days
-- Settled days in the spans, and the last of all if a meter that begins earlier now has another reliability on it: that
-- is what is known of the meter by now. On other days it has no reading whose score could change.
-- A day that is locked is just being loaded into, and so has to be settled again anyway.
WITH stale AS (
    SELECT d.day
    FROM greenstream.day d
    WHERE d.dirty_since IS NULL
      AND (
          EXISTS (
              SELECT FROM unnest(%(first)s::date[], %(last)s::date[]) AS s (first, last)
              WHERE d.day BETWEEN s.first AND s.last
          )
          OR d.day BETWEEN %(if_last_from)s AND %(if_last_to)s
          AND d.day = (SELECT max(l.day) FROM greenstream.day l WHERE l.settled_at IS NOT NULL)
      )
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE greenstream.day d SET dirty_since = %(now)s FROM stale WHERE stale.day = d.day

-- name: resolve_earlier
-- A run that ends before what was looked at has ended: else it would have been found to go on.
UPDATE greenstream.window_finding k
SET resolved_at = k.window_end + %(slot)s::interval
FROM unnest(%(codes)s::text[], %(since)s::timestamptz[]) AS s (code, since)
WHERE k.code = s.code
  AND greenstream.is_open(k)
  AND k.window_end < s.since
  AND k.meter_key = ANY(%(meters)s)

-- name: stage_days
CREATE TEMP TABLE IF NOT EXISTS fresh_meter_day (LIKE greenstream.meter_day) ON COMMIT DROP

-- name: stage_findings
CREATE TEMP TABLE IF NOT EXISTS found (
    code text NOT NULL,
    meter_key integer NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    began_earlier boolean NOT NULL,
    detail jsonb NOT NULL
) ON COMMIT DROP

-- name: status
-- silent: nothing comes now, or nothing ever came; faulty: something comes that can't be right.
UPDATE greenstream.meter m
SET status = s.status
FROM (
    SELECT
        k.meter_key,
        CASE
            WHEN bool_or(f.code = 'CONSECUTIVE_MISSING') THEN 'silent'
            WHEN bool_or(f.code IN ('DEAD_METER', 'STUCK_METER', 'COMMUNICATION_FAILURE')) THEN 'faulty'
            WHEN bool_and(a.meter_key IS NULL AND k.commissioned <= %(today)s
                          AND coalesce(k.decommissioned > %(today)s, true)) THEN 'silent'
            ELSE 'active'
        END AS status
    FROM greenstream.meter k
    LEFT JOIN greenstream.meter_activity a USING (meter_key)
    LEFT JOIN greenstream.window_finding f ON f.meter_key = k.meter_key AND greenstream.is_open(f)
    GROUP BY k.meter_key
) AS s
WHERE s.meter_key = m.meter_key AND s.status <> m.status

-- name: unalerted
-- Findings that no alert has told of, old enough to.
SELECT f.code, r.severity, m.meter_id, f.window_start, f.detail::text AS detail
FROM greenstream.window_finding f
JOIN greenstream.window_rule r USING (code)
JOIN greenstream.meter m USING (meter_key)
WHERE f.alerted_at IS NULL AND f.detected_at <= %(until)s
ORDER BY f.code, m.meter_id, f.window_start

-- name: values
-- The readings of some meters in some slots, each packed into one number: slot behind the first one, then the value
-- raised by 3 (0.1 W; -1 negative, -2 no kW, -3 null).
SELECT
    meter_key,
    array_agg(
        ((date_part('epoch', reading_at)::bigint / %(seconds)s - %(first_slot)s) << %(bits)s)
        + 3 + CASE
            WHEN power IS NOT NULL THEN greatest(power, -1)
            WHEN energy_value IS NULL THEN -3
            ELSE -2
        END
    )
FROM greenstream.reading
WHERE reading_at >= %(start)s AND reading_at < %(stop)s AND meter_key = ANY(%(meters)s)
GROUP BY meter_key

-- name: watched
DELETE FROM greenstream.unwatched WHERE load_id = ANY(%(loads)s)

-- name: watermark
SELECT watermark FROM greenstream.site
