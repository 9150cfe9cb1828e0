SELECT path, rows, rejected, processed_at
FROM greenstream.source_file f
WHERE processed_at > %(since)s
AND outcome = 'loaded'
AND rows >= %(min_rows)s
AND rejected > %(max_share)s * rows
AND NOT EXISTS (
    SELECT FROM greenstream.alert a
    WHERE a.code = %(code)s AND md5(a.subject) = md5(f.path) AND a.last_at >= f.processed_at
)
ORDER BY processed_at, source_file_id
