-- With the loaded file of the same content, if its raw file was cleaned before.
SELECT f.path, f.received_at, f.processed_at, o.path
FROM greenstream.source_file f
LEFT JOIN greenstream.source_file o
    ON f.outcome = 'duplicate' AND o.sha256 = f.sha256 AND o.outcome = 'loaded' AND o.raw_sha256 IS NOT NULL
WHERE f.to_erase
ORDER BY f.source_file_id
