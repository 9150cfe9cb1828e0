-- With them go the earlier deliveries under their paths; one that came meanwhile has its own time.
UPDATE greenstream.source_file f
SET raw_deleted_at = %(now)s
FROM greenstream.source_file gone
WHERE gone.source_file_id = ANY(%(source_file_ids)s)
  AND f.path = gone.path
  AND f.source_file_id <= gone.source_file_id
  AND f.raw_deleted_at IS NULL
