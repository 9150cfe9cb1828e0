-- The raw file has other bytes by now, and another version; all deliveries that had the former bytes have these.
WITH same AS (
    SELECT source_file_id
    FROM greenstream.source_file
    WHERE path = %(path)s
      AND (
          rewriting_sha256 = decode(%(new)s, 'hex')
          OR coalesce(raw_sha256, sha256) = decode(%(old)s, 'hex')
      )
),
newest AS (SELECT max(source_file_id) AS source_file_id FROM same),
waiting AS (
    UPDATE greenstream.waiting_file
    SET version = %(version)s, modified_at = %(modified_at)s, size_bytes = %(size_bytes)s
    WHERE path = %(path)s AND version = %(was_version)s
)
UPDATE greenstream.source_file f
SET raw_sha256 = decode(%(new)s, 'hex'),
    rewriting_sha256 = NULL,
    to_erase = false,
    version = CASE WHEN f.source_file_id = n.source_file_id THEN %(version)s ELSE f.version END,
    modified_at = CASE WHEN f.source_file_id = n.source_file_id THEN %(modified_at)s ELSE f.modified_at END
FROM same s, newest n
WHERE f.source_file_id = s.source_file_id
