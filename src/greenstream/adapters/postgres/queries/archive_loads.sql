SELECT o.load_id, o.processed_at, o.pipeline_version, f.path, f.source_file_id
FROM greenstream.load o
JOIN greenstream.source_file f USING (source_file_id)
WHERE o.load_id = ANY(%(keys)s)
