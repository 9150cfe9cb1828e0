-- name: add_deletion
INSERT INTO greenstream.deletion (deleted_at, layer, subject, amount, reason)
VALUES (%(now)s, %(layer)s, %(subject)s, %(amount)s, %(reason)s)

-- name: clear_rehydrated
DELETE FROM greenstream.thawed WHERE day = %(day)s

-- name: due
-- Days before one whose readings may be in the database; of a retired day only where some were rehydrated.
SELECT d.day, d.dirty_since, d.settled_at, d.archived_at, d.retired_at
FROM greenstream.day d
WHERE d.day < %(before)s
  AND (d.retired_at IS NULL OR EXISTS (SELECT FROM greenstream.thawed t WHERE t.day = d.day))
ORDER BY d.day

-- name: findings_rows
DELETE FROM greenstream.row_finding n
WHERE n.reading_at < %(before)s
  AND NOT EXISTS (SELECT FROM greenstream.reading r WHERE r.meter_key = n.meter_key AND r.reading_at = n.reading_at)

-- name: findings_windows
DELETE FROM greenstream.window_finding WHERE resolved_at IS NOT NULL AND window_end < %(before)s

-- name: first_daily
-- The first day with a partition of its own, and the first one that has to keep it: the oldest day from there on that
-- isn't retired, or the bound. Days nobody ever loaded anything into hold nothing up.
SELECT s.first_daily, least(
    %(before)s::date,
    (SELECT min(d.day) FROM greenstream.day d WHERE d.day >= s.first_daily AND d.retired_at IS NULL)
)
FROM greenstream.site s

-- name: landed
-- Raw files that may go by their age: their newest delivery ended, and nobody may still want to replay it. With the days
-- on which it, or an earlier delivery of the same bytes, has readings, and which of those aren't wholly in the lake.
SELECT
    f.source_file_id,
    f.outcome = 'rejected',
    coalesce(array_agg(DISTINCT c.day) FILTER (WHERE c.day IS NOT NULL), '{}'),
    coalesce(
        array_agg(DISTINCT c.day) FILTER (
            WHERE c.day IS NOT NULL AND (d.retired_at IS NULL OR d.dirty_since IS NOT NULL OR d.archived_at < d.settled_at)
        ), '{}'
    ),
    r.path, r.size_bytes, r.received_at, r.sha256, r.modified_at, r.version, r.replaced_at
FROM greenstream.source_file f
JOIN greenstream.delivery r USING (source_file_id)
JOIN greenstream.source_file s
    ON s.path = f.path
    AND (
        s.source_file_id = f.source_file_id
        OR coalesce(s.raw_sha256, s.sha256) = coalesce(f.raw_sha256, f.sha256)
    )
LEFT JOIN greenstream.load o ON o.source_file_id = s.source_file_id
LEFT JOIN greenstream.grade_count c ON c.load_id = o.load_id AND c.readings > 0
LEFT JOIN greenstream.day d ON d.day = c.day
WHERE f.received_at < %(before)s
  AND f.outcome IN ('loaded', 'duplicate', 'rejected')
  AND f.raw_deleted_at IS NULL
  AND r.replaced_at IS NULL
GROUP BY f.source_file_id, r.path, r.size_bytes, r.received_at, r.sha256, r.modified_at, r.version, r.replaced_at
ORDER BY f.received_at, f.source_file_id

-- name: ledger
-- Lines of the ledger from before, with their counts, once nothing is left that points at them: no raw file, no
-- quarantined row, no reading in the database, no dead letter to decide about.
WITH old AS (
    SELECT f.source_file_id
    FROM greenstream.source_file f
    WHERE f.processed_at < %(before)s
      AND (f.raw_deleted_at IS NOT NULL OR f.outcome IN ('failed', 'forgotten'))
      AND NOT EXISTS (SELECT FROM greenstream.quarantined_row q WHERE q.source_file_id = f.source_file_id)
      AND NOT EXISTS (
          SELECT FROM greenstream.dead_letter l
          WHERE l.path = f.path AND greenstream.is_open(l)
      )
      AND NOT EXISTS (
          SELECT FROM greenstream.load o JOIN greenstream.unwatched u USING (load_id)
          WHERE o.source_file_id = f.source_file_id
      )
      AND NOT EXISTS (
          SELECT
          FROM greenstream.load o
          JOIN greenstream.grade_count c USING (load_id)
          LEFT JOIN greenstream.day d USING (day)
          WHERE o.source_file_id = f.source_file_id
            AND (d.retired_at IS NULL OR d.dirty_since IS NOT NULL
                 OR EXISTS (SELECT FROM greenstream.thawed t WHERE t.day = c.day))
      )
),
loads AS (SELECT load_id FROM greenstream.load JOIN old USING (source_file_id)),
grades AS (DELETE FROM greenstream.grade_count c USING loads WHERE c.load_id = loads.load_id),
flags AS (DELETE FROM greenstream.flag_count c USING loads WHERE c.load_id = loads.load_id),
gone AS (DELETE FROM greenstream.load o USING loads WHERE o.load_id = loads.load_id)
DELETE FROM greenstream.source_file f USING old WHERE f.source_file_id = old.source_file_id

-- name: lock
-- Loads into the day hold it shared until they are committed; new ones wait, and find that it isn't open any more.
SELECT day, dirty_since, settled_at, archived_at, retired_at FROM greenstream.day WHERE day = %(day)s FOR UPDATE

-- name: mark
UPDATE greenstream.day SET retired_at = coalesce(retired_at, %(now)s) WHERE day = %(day)s

-- name: partitions
SELECT n.name
FROM unnest(%(names)s::text[]) AS n (name)
WHERE to_regclass('greenstream.' || n.name) IS NOT NULL
ORDER BY n.name

-- name: quarantine
DELETE FROM greenstream.quarantined_row WHERE quarantined_at < %(before)s

-- name: raw_deleted
-- With them go the earlier deliveries under their paths; one that came meanwhile has its own time.
UPDATE greenstream.source_file f
SET raw_deleted_at = %(now)s
FROM greenstream.source_file gone
WHERE gone.source_file_id = ANY(%(source_file_ids)s)
  AND f.path = gone.path
  AND f.source_file_id <= gone.source_file_id
  AND f.raw_deleted_at IS NULL

-- name: readings
DELETE FROM greenstream.reading WHERE reading_at >= %(start)s AND reading_at < %(stop)s

-- name: replaced
-- What lies under their paths is the raw file of a later delivery, and goes by that one's time.
UPDATE greenstream.source_file f
SET raw_deleted_at = %(now)s
FROM greenstream.delivery d
WHERE d.source_file_id = f.source_file_id
  AND f.received_at < %(before)s
  AND f.outcome IN ('loaded', 'duplicate', 'rejected')
  AND f.raw_deleted_at IS NULL
  AND d.replaced_at IS NOT NULL
