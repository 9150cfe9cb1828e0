-- name: add_load
-- The file's line in the ledger was deleted long ago: its name and time are all that a reading still tells.
WITH file AS (
    INSERT INTO greenstream.source_file (path, sha256, size_bytes, outcome, received_at, processed_at, pipeline_version)
    VALUES (%(path)s, NULL, 0, 'forgotten', %(processed_at)s, %(processed_at)s, %(version)s)
    ON CONFLICT (path, processed_at) WHERE outcome = 'forgotten' DO UPDATE SET outcome = excluded.outcome
    RETURNING source_file_id
)
INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version)
SELECT source_file_id, %(processed_at)s, %(version)s FROM file
RETURNING load_id

-- name: claim
-- The meters whose readings of retired days aren't here, noted as being here from now on; another transaction that
-- rehydrates some of them waits.
WITH claimed AS (
    INSERT INTO greenstream.thawed (day, meter_key)
    SELECT d.day, m.meter_key
    FROM greenstream.day d
    CROSS JOIN unnest(%(meters)s::integer[]) AS m (meter_key)
    WHERE d.day = ANY(%(days)s) AND d.retired_at IS NOT NULL
    ORDER BY d.day, m.meter_key
    ON CONFLICT DO NOTHING
    RETURNING day, meter_key
)
SELECT c.day, array_agg(m.meter_id ORDER BY m.meter_id)
FROM claimed c
JOIN greenstream.meter m USING (meter_key)
GROUP BY c.day
ORDER BY c.day

-- name: days
-- Some days, and the retired ones that look back on them: both change with their readings.
SELECT n.day FROM unnest(%(days)s::date[]) AS n (day)
UNION
SELECT d.day
FROM greenstream.day d
WHERE d.retired_at IS NOT NULL
  AND EXISTS (
      SELECT FROM unnest(%(days)s::date[]) AS n (day) WHERE d.day > n.day AND d.day <= n.day + %(lookback_days)s::integer
  )
ORDER BY 1

-- name: loads
-- The load behind each reading that is rehydrated: the one it came with, if the ledger still has it.
SELECT (
    SELECT o.load_id
    FROM greenstream.source_file f
    JOIN greenstream.load o USING (source_file_id)
    WHERE f.path = n.path AND o.processed_at = n.processed_at
    ORDER BY (o.pipeline_version = n.version) DESC, o.load_id
    LIMIT 1
)
FROM unnest(%(paths)s::text[], %(processed)s::timestamptz[], %(versions)s::text[])
    WITH ORDINALITY AS n (path, processed_at, version, position)
ORDER BY n.position

-- name: meters
SELECT meter_id, meter_key FROM greenstream.meter WHERE meter_id = ANY(%(meters)s)
