-- Loaded files with readings on the days, or received on them; oldest first, so that of two files with the same row the
-- one that came first has it again.
SELECT f.source_file_id, f.path, encode(coalesce(f.raw_sha256, f.sha256), 'hex'), f.size_bytes, f.received_at, f.processed_at
FROM greenstream.source_file f
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
