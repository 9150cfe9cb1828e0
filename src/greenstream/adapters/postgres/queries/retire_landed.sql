-- Raw files that may go by their age: they ended, and nobody may still want to replay them. With the days they have
-- readings on, and which of those aren't wholly in the lake.
SELECT
    f.path,
    f.size_bytes,
    f.received_at,
    f.outcome = 'rejected',
    coalesce(array_agg(DISTINCT c.day) FILTER (WHERE c.day IS NOT NULL), '{}'),
    coalesce(
        array_agg(DISTINCT c.day) FILTER (
            WHERE c.day IS NOT NULL AND (d.retired_at IS NULL OR d.dirty_since IS NOT NULL OR d.archived_at < d.settled_at)
        ), '{}'
    )
FROM greenstream.source_file f
LEFT JOIN greenstream.load o USING (source_file_id)
LEFT JOIN greenstream.grade_count c ON c.load_id = o.load_id AND c.readings > 0
LEFT JOIN greenstream.day d ON d.day = c.day
WHERE f.received_at < %(before)s
  AND f.outcome IN ('loaded', 'duplicate', 'rejected')
  AND f.raw_deleted_at IS NULL
GROUP BY f.source_file_id
ORDER BY f.received_at, f.source_file_id
