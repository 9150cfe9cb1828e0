-- Since the day was archived.
SELECT count(*)
FROM greenstream.superseded_reading r
JOIN greenstream.day d ON d.day = %(day)s
WHERE r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s
  AND (d.archived_at IS NULL OR r.superseded_at > d.archived_at)
