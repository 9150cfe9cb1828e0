-- Raw files that may go by their age: their newest delivery ended, and nobody may still want to replay it. With the days
-- on which it, or an earlier delivery of the same bytes, has readings, and which of those aren't wholly in the lake.
SELECT
    f.source_file_id,
    f.outcome = 'rejected',
    coalesce(array_agg(DISTINCT c.day) FILTER (WHERE c.day IS NOT NULL), '{}'),
    coalesce(
        array_agg(DISTINCT c.day) FILTER (
            WHERE c.day IS NOT NULL AND (d.retired_at IS NULL OR d.dirty_since IS NOT NULL OR d.archived_at < d.settled_at)
        ), '{}'
    ),
    r.path, r.size_bytes, r.received_at, r.sha256, r.modified_at, r.version, r.replaced_at
FROM greenstream.source_file f
JOIN greenstream.delivery r USING (source_file_id)
JOIN greenstream.source_file s
    ON s.path = f.path
    AND (
        s.source_file_id = f.source_file_id
        OR coalesce(s.raw_sha256, s.sha256) = coalesce(f.raw_sha256, f.sha256)
    )
LEFT JOIN greenstream.load o ON o.source_file_id = s.source_file_id
LEFT JOIN greenstream.grade_count c ON c.load_id = o.load_id AND c.readings > 0
LEFT JOIN greenstream.day d ON d.day = c.day
WHERE f.received_at < %(before)s
  AND f.outcome IN ('loaded', 'duplicate', 'rejected')
  AND f.raw_deleted_at IS NULL
  AND r.replaced_at IS NULL
GROUP BY f.source_file_id, r.path, r.size_bytes, r.received_at, r.sha256, r.modified_at, r.version, r.replaced_at
ORDER BY f.received_at, f.source_file_id
