-- From the counts: readings are never scanned for it. Retired days have none here.
SELECT day FROM (
    SELECT day FROM greenstream.flag_count WHERE flag & %(flags)s <> 0 AND readings > 0
    UNION
    SELECT day FROM greenstream.grade_count WHERE %(flags)s = 0 AND readings > 0
) AS found
WHERE NOT EXISTS (SELECT FROM greenstream.day d WHERE d.day = found.day AND d.retired_at IS NOT NULL)
  AND (%(first)s::date IS NULL OR day >= %(first)s)
  AND (%(last)s::date IS NULL OR day <= %(last)s)
ORDER BY day
