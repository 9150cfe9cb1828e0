-- Which of some landed files have neither ended nor are waiting.
SELECT n.path
FROM unnest(%(paths)s::text[], %(received)s::timestamptz[]) AS n (path, received_at)
WHERE NOT EXISTS (
    SELECT FROM greenstream.source_file f WHERE f.path = n.path AND f.received_at = n.received_at
)
AND NOT EXISTS (
    SELECT FROM greenstream.waiting_file w WHERE w.path = n.path AND w.received_at = n.received_at
)
