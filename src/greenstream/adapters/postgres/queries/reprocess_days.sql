SELECT DISTINCT c.day
FROM greenstream.load o
JOIN greenstream.grade_count c USING (load_id)
WHERE o.source_file_id = %(source_file_id)s AND c.readings > 0
