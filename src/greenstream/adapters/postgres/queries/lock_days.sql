-- Shared among loads; settling and retention wait for them, and they for those.
SELECT day FROM greenstream.day
WHERE day = ANY(%(days)s) AND dirty_since IS NOT NULL
ORDER BY day
FOR SHARE
