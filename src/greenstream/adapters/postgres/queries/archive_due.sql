-- Settled days whose settling the lake hasn't seen.
SELECT day
FROM greenstream.day
WHERE dirty_since IS NULL AND settled_at IS NOT NULL AND (archived_at IS NULL OR archived_at < settled_at)
ORDER BY day
