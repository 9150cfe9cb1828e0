UPDATE greenstream.source_file SET raw_deleted_at = %(now)s
WHERE path = ANY(%(paths)s) AND raw_deleted_at IS NULL AND received_at < %(before)s
