-- Loaded files with readings of a day, as they were processed first: replays came later, and of single rows.
SELECT
    f.path,
    encode(coalesce(f.raw_sha256, f.sha256), 'hex') AS sha256,
    f.received_at,
    min(o.processed_at) AS processed_at,
    f.raw_deleted_at IS NOT NULL AS may_be_gone
FROM greenstream.source_file f
JOIN greenstream.load o USING (source_file_id)
WHERE f.outcome = 'loaded'
  AND EXISTS (
      SELECT
      FROM greenstream.grade_count c
      JOIN greenstream.load l ON l.load_id = c.load_id
      WHERE l.source_file_id = f.source_file_id AND c.day = %(day)s AND c.readings > 0
  )
GROUP BY f.source_file_id
ORDER BY f.received_at, f.source_file_id
