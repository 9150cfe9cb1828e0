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
            FROM greenstream.quarantined_row
            WHERE replayed_at IS NULL AND discarded_at IS NULL
            GROUP BY code
        ) q
    ),
    'alerts', (
        SELECT coalesce(jsonb_object_agg(code, open), '{}')
        FROM (
            SELECT code, count(*) AS open
            FROM greenstream.alert
            WHERE acknowledged_at IS NULL AND resolved_at IS NULL
            GROUP BY code
        ) a
    ),
    'dead_letters', (
        SELECT count(*) FROM greenstream.dead_letter WHERE replayed_at IS NULL AND discarded_at IS NULL
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
            SELECT code, count(*) AS open FROM greenstream.window_finding WHERE resolved_at IS NULL GROUP BY code
        ) f
    ),
    'watermark', (SELECT watermark FROM greenstream.site),
    'unwatched_loads', (SELECT count(DISTINCT load_id) FROM greenstream.unwatched),
    'meters', (SELECT count(*) FROM greenstream.meter),
    'newest_reading_at', (SELECT max(last_seen_at) FROM greenstream.meter_activity),
    'last_file', (
        SELECT jsonb_build_object('path', path, 'outcome', outcome, 'processed_at', processed_at)
        FROM greenstream.source_file
        ORDER BY processed_at DESC, source_file_id DESC
        LIMIT 1
    )
)
