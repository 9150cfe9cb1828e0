SELECT
    outcome, reason, rows, stored, duplicate, rejected, ignored_columns, processed_at,
    path, size_bytes, received_at, encode(sha256, 'hex'), modified_at, version
FROM greenstream.source_file
WHERE path = %(path)s AND version = %(version)s AND outcome <> 'failed'
