-- What lies under their paths is the raw file of a later delivery, and goes by that one's time.
UPDATE greenstream.source_file f
SET raw_deleted_at = %(now)s
FROM greenstream.delivery d
WHERE d.source_file_id = f.source_file_id
  AND f.received_at < %(before)s
  AND f.outcome IN ('loaded', 'duplicate', 'rejected')
  AND f.raw_deleted_at IS NULL
  AND d.replaced_at IS NOT NULL
