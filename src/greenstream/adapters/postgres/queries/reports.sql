-- name: alerts
SELECT
    alert_id, code, severity, subject, message, count, first_at, last_at, acknowledged_at, resolved_at
FROM greenstream.alert a
WHERE %(closed)s OR greenstream.is_open(a)
ORDER BY last_at DESC, alert_id DESC

-- name: demo_fates
-- What became of single lines of files: how often each fault ended in each way.
SELECT
    t.fault,
    CASE
        WHEN q.code IS NOT NULL THEN ARRAY[q.code]
        WHEN r.load_id IS NOT NULL THEN ARRAY['stored'] || f.codes
        ELSE ARRAY['duplicate']
    END AS fate,
    count(*) AS times
FROM unnest(%(faults)s::text[], %(sha256)s::text[], %(lines)s::bigint[]) AS t (fault, sha256, line_number)
JOIN greenstream.source_file s ON s.sha256 = decode(t.sha256, 'hex') AND s.outcome = 'loaded'
LEFT JOIN greenstream.quarantined_row q USING (source_file_id, line_number)
LEFT JOIN greenstream.load o USING (source_file_id)
LEFT JOIN greenstream.reading r ON r.load_id = o.load_id AND r.line_number = t.line_number
LEFT JOIN greenstream.flag_set f USING (flags)
GROUP BY 1, 2

-- name: demo_flags
SELECT DISTINCT ON (code)
    rule_id,
    code,
    count(*) OVER (PARTITION BY code) AS times,
    meter_id,
    reading_at,
    detail ->> 'energy_value' AS energy_value,
    source_file
FROM data_quality_log
WHERE window_start IS NULL
ORDER BY code, length(detail ->> 'energy_value') DESC, reading_at, meter_id

-- name: demo_grades
SELECT w.word AS grade, coalesce(sum(c.readings), 0)::bigint AS readings
FROM greenstream.word w
LEFT JOIN greenstream.grade_count c ON c.grade = w.code
WHERE w.kind = 'grade'
GROUP BY w.code, w.word
ORDER BY w.code

-- name: demo_history
-- Of each code about a meter's history: how many findings, and the one with most to show.
SELECT DISTINCT ON (code)
    rule_id,
    code,
    count(*) OVER (PARTITION BY code) AS times,
    meter_id,
    window_start,
    window_end,
    detail
FROM data_quality_log
WHERE window_start IS NOT NULL
ORDER BY code, window_end - window_start DESC, (detail ->> 'kw')::numeric DESC, window_start, meter_id

-- name: demo_load_curve
-- Mean power of the usable readings by customer class and slot of one local day.
SELECT
    customer_class,
    floor(extract(epoch FROM (reading_at AT TIME ZONE %(timezone)s)::time) / %(slot_seconds)s)::integer AS slot,
    avg(consumption_kw)::double precision AS mean_kw
FROM current_readings
WHERE reading_at >= %(day)s::date::timestamp AT TIME ZONE %(timezone)s
  AND reading_at < (%(day)s::date + 1)::timestamp AT TIME ZONE %(timezone)s
  AND consumption_kw >= %(min_kw)s
  AND consumption_kw < %(max_kw)s
  AND customer_class IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2

-- name: demo_quarantine
SELECT DISTINCT ON (code)
    rule_id,
    code,
    count(*) OVER (PARTITION BY code) AS times,
    source_file,
    line_number,
    raw_line
FROM quarantined_rows
ORDER BY code, source_file, line_number

-- name: doctor_local_times
SELECT to_char(t.instant AT TIME ZONE %(timezone)s, 'YYYY-MM-DD HH24:MI:SS') AS local
FROM unnest(%(instants)s::timestamptz[]) WITH ORDINALITY AS t (instant, position)
ORDER BY t.position

-- name: doctor_newest
SELECT max(last_seen_at) AS newest FROM greenstream.meter_activity

-- name: doctor_server
SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::integer / 10000 AS major,
    current_setting('server_encoding') AS encoding,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('fsync') AS fsync,
    current_setting('max_connections')::integer AS max_connections,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    current_user AS role,
    current_database() AS database,
    has_database_privilege(current_database(), 'CREATE') AS can_create_schemas,
    has_schema_privilege('public', 'CREATE') AS can_create_views,
    clock_timestamp() AS clock

-- name: doctor_temp_files
SELECT current_setting('temp_file_limit') = '-1' AS is_unlimited

-- name: evaluate_findings
-- All that the rules found: flags and windows by meter and slot, quarantined rows by file and line.
SELECT
    code,
    meter_id,
    NULL AS file,
    NULL AS line_number,
    floor(extract(epoch FROM coalesce(window_start, reading_at)) / %(slot_seconds)s)::bigint AS first,
    floor(extract(epoch FROM coalesce(window_end, reading_at)) / %(slot_seconds)s)::bigint AS last
FROM data_quality_log
UNION ALL
SELECT
    code,
    NULL,
    regexp_replace(source_file, '^.*/', ''),
    line_number,
    NULL,
    NULL
FROM quarantined_rows

-- name: gauges
-- A row a gauge and its labels. What can be counted in advance is there as 0, so that graphs and alerts have a series.
WITH waiting AS (
    SELECT route, state, count(*) AS files, min(queued_at) AS oldest FROM public.waiting_files GROUP BY route, state
),
route AS (SELECT unnest(%(routes)s::text[]) AS route)
SELECT 'waiting_files' AS gauge, ARRAY[route, state] AS labels, coalesce(files, 0)::float8 AS value
FROM route
CROSS JOIN unnest(ARRAY['waiting', 'running', 'retrying', 'stuck']) AS state
LEFT JOIN waiting USING (route, state)
UNION ALL
SELECT 'oldest_waiting_seconds', ARRAY[route], coalesce(extract(epoch FROM now() - min(oldest)), 0)::float8
FROM route
LEFT JOIN waiting USING (route)
GROUP BY route
UNION ALL
SELECT 'open_dead_letters', ARRAY[]::text[], count(*)::float8
FROM greenstream.dead_letter d
WHERE greenstream.is_open(d)
UNION ALL
SELECT 'open_alerts', ARRAY[code], count(*)::float8
FROM greenstream.alert a
WHERE greenstream.is_open(a)
GROUP BY code
UNION ALL
SELECT 'open_findings', ARRAY[code], coalesce(f.findings, 0)::float8
FROM greenstream.window_rule
LEFT JOIN (
    SELECT code, count(*) AS findings FROM greenstream.window_finding w WHERE greenstream.is_open(w) GROUP BY code
) AS f USING (code)
UNION ALL
SELECT 'quarantined_rows', ARRAY[code], count(*)::float8
FROM greenstream.quarantined_row q
WHERE greenstream.is_open(q)
GROUP BY code
UNION ALL
SELECT 'flags', ARRAY[code], coalesce(c.readings, 0)::float8
FROM greenstream.flag
LEFT JOIN (SELECT flag, sum(readings) AS readings FROM greenstream.flag_count GROUP BY flag) AS c USING (flag)
UNION ALL
SELECT 'watermark_timestamp_seconds', ARRAY[]::text[], extract(epoch FROM watermark)::float8
FROM greenstream.site
WHERE watermark IS NOT NULL
UNION ALL
SELECT 'unwatched_loads', ARRAY[]::text[], count(DISTINCT load_id)::float8
FROM greenstream.unwatched

-- name: meters
-- All meters, or those of one status.
SELECT
    m.meter_id,
    m.status,
    nullif(l.location, '') AS location,
    l.region,
    l.customer_class,
    m.commissioned,
    m.decommissioned,
    a.first_seen_at,
    a.last_seen_at,
    m.reliability
FROM greenstream.meter m
JOIN greenstream.location l USING (location_key)
LEFT JOIN greenstream.meter_activity a USING (meter_key)
WHERE %(status)s::text IS NULL OR m.status = %(status)s
ORDER BY m.meter_id

-- name: server
SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size_bytes

-- name: status
-- One JSON object about everything stored, from the ledger and the counts: readings are never scanned.
SELECT jsonb_build_object(
    'timezone', (SELECT timezone FROM greenstream.site),
    'files', (
        SELECT coalesce(jsonb_object_agg(outcome, files), '{}')
        FROM (SELECT outcome, count(*) AS files FROM greenstream.source_file GROUP BY outcome) f
    ),
    'rows', (
        SELECT jsonb_build_object(
            'rows', coalesce(sum(rows), 0),
            'stored', coalesce(sum(stored), 0),
            'duplicate', coalesce(sum(duplicate), 0),
            'rejected', coalesce(sum(rejected), 0)
        )
        FROM greenstream.source_file
    ),
    'days', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('day', day, 'readings', readings) ORDER BY day DESC), '[]')
        FROM (
            SELECT day, sum(readings) AS readings
            FROM greenstream.grade_count
            GROUP BY day
            ORDER BY day DESC
            LIMIT 7
        ) d
    ),
    'day_states', (
        SELECT coalesce(jsonb_object_agg(state, days), '{}')
        FROM (SELECT state, count(*) AS days FROM public.days GROUP BY state) s
    ),
    'grades', (
        SELECT coalesce(jsonb_object_agg(w.word, g.readings), '{}')
        FROM (SELECT grade, sum(readings) AS readings FROM greenstream.grade_count GROUP BY grade) g
        JOIN greenstream.word w ON w.kind = 'grade' AND w.code = g.grade
    ),
    'flags', (
        SELECT coalesce(jsonb_object_agg(w.code, f.readings), '{}')
        FROM (SELECT flag, sum(readings) AS readings FROM greenstream.flag_count GROUP BY flag) f
        JOIN greenstream.flag w USING (flag)
    ),
    'quarantined', (
        SELECT coalesce(jsonb_object_agg(code, waiting), '{}')
        FROM (
            SELECT code, count(*) AS waiting
            FROM greenstream.quarantined_row r
            WHERE greenstream.is_open(r)
            GROUP BY code
        ) q
    ),
    'alerts', (
        SELECT coalesce(jsonb_object_agg(code, open), '{}')
        FROM (
            SELECT code, count(*) AS open FROM greenstream.alert a WHERE greenstream.is_open(a) GROUP BY code
        ) a
    ),
    'dead_letters', (
        SELECT count(*) FROM greenstream.dead_letter d WHERE greenstream.is_open(d)
    ),
    'waiting', (
        SELECT coalesce(jsonb_object_agg(state, jsonb_build_object('files', files, 'oldest_seconds', oldest)), '{}')
        FROM (
            SELECT state, count(*) AS files, floor(extract(epoch FROM now() - min(queued_at)))::bigint AS oldest
            FROM public.waiting_files
            GROUP BY state
        ) w
    ),
    'troubled', (
        SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.queued_at), '[]')
        FROM (
            SELECT source_file, route, state, attempts, crashes, error, queued_at, started_at, next_at
            FROM public.waiting_files
            WHERE state IN ('retrying', 'stuck')
            ORDER BY queued_at
            LIMIT 20
        ) t
    ),
    'latency', (
        SELECT jsonb_build_object(
            'files', count(*),
            'median_seconds', percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds),
            'p95_seconds', percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds)
        )
        FROM (
            SELECT round(extract(epoch FROM processed_at - received_at), 3) AS seconds
            FROM greenstream.source_file
            WHERE outcome = 'loaded' AND processed_at > now() - interval '1 hour'
        ) l
    ),
    'findings', (
        SELECT coalesce(jsonb_object_agg(code, open), '{}')
        FROM (
            SELECT code, count(*) AS open FROM greenstream.window_finding w WHERE greenstream.is_open(w) GROUP BY code
        ) f
    ),
    'watermark', (SELECT watermark FROM greenstream.site),
    'unwatched_loads', (SELECT count(DISTINCT load_id) FROM greenstream.unwatched),
    'meters', (SELECT count(*) FROM greenstream.meter),
    'newest_reading_at', (SELECT max(last_seen_at) FROM greenstream.meter_activity),
    'last_file', (
        SELECT jsonb_build_object('source_file', path, 'outcome', outcome, 'processed_at', processed_at)
        FROM greenstream.source_file
        ORDER BY processed_at DESC, source_file_id DESC
        LIMIT 1
    )
) AS stored
