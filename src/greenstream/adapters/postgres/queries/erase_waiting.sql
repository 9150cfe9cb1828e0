-- With the loaded file of the same content, if its raw file was cleaned before.
SELECT
    f.source_file_id, f.processed_at, o.source_file_id IS NOT NULL,
    d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at,
    c.path, c.size_bytes, c.received_at, c.sha256, c.modified_at, c.version, c.replaced_at
FROM greenstream.source_file f
JOIN greenstream.delivery d USING (source_file_id)
LEFT JOIN greenstream.source_file o
    ON f.outcome = 'duplicate' AND o.sha256 = f.sha256 AND o.outcome = 'loaded' AND o.raw_sha256 IS NOT NULL
LEFT JOIN greenstream.delivery c ON c.source_file_id = o.source_file_id
WHERE f.to_erase
ORDER BY f.source_file_id
