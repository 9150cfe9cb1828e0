-- The deliveries behind some loads.
SELECT
    o.load_id,
    d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at
FROM greenstream.load o
JOIN greenstream.delivery d USING (source_file_id)
WHERE o.load_id = ANY(%(load_ids)s)
