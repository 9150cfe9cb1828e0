-- The first day with a partition of its own, and the first one that has to keep it: the oldest day from there on that
-- isn't retired, or the bound. Days nobody ever loaded anything into hold nothing up.
SELECT s.first_daily, least(
    %(before)s::date,
    (SELECT min(d.day) FROM greenstream.day d WHERE d.day >= s.first_daily AND d.retired_at IS NULL)
)
FROM greenstream.site s
