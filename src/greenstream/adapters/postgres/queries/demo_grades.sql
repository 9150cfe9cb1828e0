SELECT w.word AS grade, coalesce(sum(c.readings), 0)::bigint AS readings
FROM greenstream.word w
LEFT JOIN greenstream.grade_count c ON c.grade = w.code
WHERE w.kind = 'grade'
GROUP BY w.code, w.word
ORDER BY w.code
