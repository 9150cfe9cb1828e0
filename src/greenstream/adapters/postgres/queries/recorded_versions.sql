SELECT f.path, f.version
FROM unnest(%(paths)s::text[], %(versions)s::text[]) AS n (path, version)
JOIN greenstream.source_file f USING (path, version)
