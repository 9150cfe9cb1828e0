-- Findings whose window touches a span of time: all, and those that go on.
SELECT code, count(*), count(*) FILTER (WHERE resolved_at IS NULL)
FROM greenstream.window_finding
WHERE window_start < %(stop)s AND window_end >= %(start)s
GROUP BY code
ORDER BY code
