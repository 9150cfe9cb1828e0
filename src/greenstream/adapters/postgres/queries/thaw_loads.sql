-- The load behind each reading that is brought back: the one it came with, if the ledger still has it.
SELECT (
    SELECT o.load_id
    FROM greenstream.source_file f
    JOIN greenstream.load o USING (source_file_id)
    WHERE f.path = n.path AND o.processed_at = n.processed_at
    ORDER BY (o.pipeline_version = n.version) DESC, o.load_id
    LIMIT 1
)
FROM unnest(%(paths)s::text[], %(processed)s::timestamptz[], %(versions)s::text[])
    WITH ORDINALITY AS n (path, processed_at, version, position)
ORDER BY n.position
