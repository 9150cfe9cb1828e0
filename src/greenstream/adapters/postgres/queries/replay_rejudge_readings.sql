UPDATE greenstream.reading r
SET load_id = n.load_id,
    power = n.power,
    flags = n.flags,
    quality_score = n.quality_score,
    grade = n.grade,
    period = n.period,
    season = n.season,
    line_number = coalesce(n.line_number, r.line_number)
FROM pg_temp.rejudged n
WHERE r.meter_key = n.meter_key
  AND r.reading_at = n.reading_at
  AND r.record_id = n.record_id
  AND r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s
