-- The first and the last file that brought new readings of a region.
SELECT g.region, min(f.received_at), max(f.received_at)
FROM greenstream.source_file f
JOIN greenstream.load l USING (source_file_id)
JOIN greenstream.grade_count g USING (load_id)
WHERE f.processed_at > %(since)s AND f.received_at > %(since)s AND f.outcome = 'loaded'
GROUP BY g.region
ORDER BY g.region
