-- Shared among loads; settling and retention wait for them, and they for those.
SELECT day, retired_at IS NOT NULL FROM greenstream.day
WHERE day = ANY(%(days)s) AND dirty_since IS NOT NULL
ORDER BY day
FOR SHARE
