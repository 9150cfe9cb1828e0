-- Which of some landed files have neither ended nor are waiting. Lines that are older than versions have the file's
-- own time.
SELECT n.path
FROM unnest(%(paths)s::text[], %(versions)s::text[], %(modified)s::timestamptz[]) AS n (path, version, modified_at)
WHERE NOT EXISTS (
    SELECT FROM greenstream.source_file f WHERE f.path = n.path AND f.version = n.version
)
AND NOT EXISTS (
    SELECT FROM greenstream.source_file f
    WHERE f.path = n.path AND f.version IS NULL AND f.modified_at = n.modified_at
)
AND NOT EXISTS (
    SELECT FROM greenstream.waiting_file w
    WHERE w.path = n.path AND (w.version = n.version OR w.version IS NULL AND w.modified_at = n.modified_at)
)
