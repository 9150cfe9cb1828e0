-- Loaded files with readings of a day, as they were processed first: replays came later, and of single rows.
SELECT
    min(o.processed_at) AS processed_at,
    f.raw_deleted_at IS NOT NULL AS may_be_gone,
    d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at
FROM greenstream.source_file f
JOIN greenstream.delivery d USING (source_file_id)
JOIN greenstream.load o USING (source_file_id)
WHERE f.outcome = 'loaded'
  AND EXISTS (
      SELECT
      FROM greenstream.grade_count c
      JOIN greenstream.load l ON l.load_id = c.load_id
      WHERE l.source_file_id = f.source_file_id AND c.day = %(day)s AND c.readings > 0
  )
GROUP BY f.source_file_id, d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at
ORDER BY f.received_at, f.source_file_id
