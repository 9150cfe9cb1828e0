-- Days before one whose readings may be in the database; of a retired day only where some were brought back.
SELECT d.day, d.dirty_since, d.settled_at, d.archived_at, d.retired_at
FROM greenstream.day d
WHERE d.day < %(before)s
  AND (d.retired_at IS NULL OR EXISTS (SELECT FROM greenstream.thawed t WHERE t.day = d.day))
ORDER BY d.day
