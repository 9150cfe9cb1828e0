DELETE FROM greenstream.row_finding n
WHERE n.reading_at < %(before)s
  AND NOT EXISTS (SELECT FROM greenstream.reading r WHERE r.meter_key = n.meter_key AND r.reading_at = n.reading_at)
