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
