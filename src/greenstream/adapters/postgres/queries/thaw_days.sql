-- Some days, and the retired ones that look back on them: both change with their readings.
SELECT n.day FROM unnest(%(days)s::date[]) AS n (day)
UNION
SELECT d.day
FROM greenstream.day d
WHERE d.retired_at IS NOT NULL
  AND EXISTS (
      SELECT FROM unnest(%(days)s::date[]) AS n (day) WHERE d.day > n.day AND d.day <= n.day + %(lookback_days)s::integer
  )
ORDER BY 1
