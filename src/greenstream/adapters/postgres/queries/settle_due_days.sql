-- Days before one, with readings, that were never settled or have changed since.
SELECT d.day
FROM greenstream.day d
WHERE d.dirty_since IS NOT NULL
  AND d.day < %(before)s
  AND EXISTS (SELECT FROM greenstream.meter_day m WHERE m.day = d.day)
ORDER BY d.day
