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
          WHERE l.path = f.path AND l.replayed_at IS NULL AND l.discarded_at IS NULL
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
