-- name: counted
SELECT coalesce(sum(c.readings), 0)::bigint
FROM greenstream.load o
JOIN greenstream.grade_count c USING (load_id)
WHERE o.source_file_id = %(source_file_id)s

-- name: days
SELECT DISTINCT c.day
FROM greenstream.load o
JOIN greenstream.grade_count c USING (load_id)
WHERE o.source_file_id = %(source_file_id)s AND c.readings > 0

-- name: drop_load
DELETE FROM greenstream.load WHERE load_id = %(load_id)s

-- name: files
-- Loaded files with readings on the days, or received on them; oldest first, so that of two files with the same row the
-- one that came first has it again.
SELECT
    f.source_file_id, f.processed_at,
    d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at
FROM greenstream.source_file f
JOIN greenstream.delivery d USING (source_file_id)
WHERE f.outcome = 'loaded'
  AND (
      (f.received_at >= %(start)s AND f.received_at < %(stop)s)
      OR EXISTS (
          SELECT
          FROM greenstream.load o
          JOIN greenstream.grade_count c USING (load_id)
          WHERE o.source_file_id = f.source_file_id AND c.day BETWEEN %(first)s AND %(last)s AND c.readings > 0
      )
  )
ORDER BY f.processed_at, f.source_file_id

-- name: ledger
-- What the file's rows came to, from the rows that are there.
UPDATE greenstream.source_file f
SET rows = %(rows)s, stored = n.stored, rejected = n.rejected, duplicate = %(rows)s - n.stored - n.rejected
FROM (
    SELECT
        (
            SELECT coalesce(sum(c.readings), 0)
            FROM greenstream.load o JOIN greenstream.grade_count c USING (load_id)
            WHERE o.source_file_id = %(source_file_id)s
        ) AS stored,
        (
            SELECT count(*) FROM greenstream.quarantined_row q
            WHERE q.source_file_id = %(source_file_id)s AND q.replayed_at IS NULL
        ) AS rejected
) AS n
WHERE f.source_file_id = %(source_file_id)s
RETURNING f.rows, f.stored, f.duplicate, f.rejected

-- name: quarantined
SELECT line_number, code, replayed_at IS NOT NULL, discarded_at IS NOT NULL
FROM greenstream.quarantined_row
WHERE source_file_id = %(source_file_id)s
FOR UPDATE

-- name: recode
-- Rows that fail now: for another reason, or again.
UPDATE greenstream.quarantined_row q
SET code = n.code, rule_id = n.rule_id, replayed_at = NULL
FROM unnest(%(lines)s::bigint[], %(codes)s::text[], %(rule_ids)s::text[]) AS n (line_number, code, rule_id)
WHERE q.source_file_id = %(source_file_id)s AND q.line_number = n.line_number

-- name: retired
SELECT day FROM greenstream.day WHERE day = ANY(%(days)s) AND retired_at IS NOT NULL ORDER BY day

-- name: stored
-- The file's readings: by the index where its meters are known, and in the time that it is of. Those that were released
-- from the quarantine later are told by the time of their load.
SELECT
    r.reading_at, r.meter_key, encode(r.record_id, 'hex'), r.load_id, r.energy_value, r.power, r.flags,
    r.quality_score, r.grade, r.period, r.season, r.reliable, l.region, %(path)s, r.line_number,
    o.processed_at <> f.processed_at
FROM greenstream.source_file f
JOIN greenstream.load o USING (source_file_id)
JOIN greenstream.reading r USING (load_id)
JOIN greenstream.location l USING (location_key)
WHERE f.source_file_id = %(source_file_id)s
  AND r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s
  AND (%(meters)s::integer[] IS NULL OR r.meter_key = ANY(%(meters)s))

-- name: supersede
-- Take readings out, with their findings, and keep them apart.
WITH gone AS (
    DELETE FROM greenstream.reading r
    USING unnest(%(meters)s::integer[], %(times)s::timestamptz[], %(ids)s::bytea[]) AS n (meter_key, reading_at, record_id)
    WHERE r.meter_key = n.meter_key AND r.reading_at = n.reading_at AND r.record_id = n.record_id
    RETURNING r.*
),
kept AS (
    INSERT INTO greenstream.superseded_reading SELECT gone.*, %(now)s, %(version)s FROM gone
),
findings AS (
    DELETE FROM greenstream.row_finding f
    USING gone
    WHERE f.meter_key = gone.meter_key AND f.reading_at = gone.reading_at AND f.record_id = gone.record_id
)
INSERT INTO taken_out SELECT * FROM gone

-- name: unwatched
-- Tell the history rules of readings that are gone.
INSERT INTO greenstream.unwatched AS known (load_id, day, first_at, last_at, meters)
SELECT t.load_id, (t.reading_at AT TIME ZONE s.timezone)::date AS day,
    min(t.reading_at), max(t.reading_at), array_agg(DISTINCT t.meter_key)
FROM taken_out t CROSS JOIN greenstream.site s
GROUP BY 1, 2
ON CONFLICT (load_id, day) DO UPDATE
SET first_at = least(known.first_at, excluded.first_at),
    last_at = greatest(known.last_at, excluded.last_at),
    meters = ARRAY(SELECT DISTINCT unnest(known.meters || excluded.meters))

-- name: versions
-- Whoever processed the file by now; and how many loads said another version.
WITH file AS (
    UPDATE greenstream.source_file SET pipeline_version = %(version)s
    WHERE source_file_id = %(source_file_id)s AND pipeline_version <> %(version)s
)
UPDATE greenstream.load SET pipeline_version = %(version)s
WHERE source_file_id = %(source_file_id)s AND pipeline_version <> %(version)s
