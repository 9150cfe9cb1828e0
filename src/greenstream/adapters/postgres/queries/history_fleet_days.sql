-- The days on which the fleet has any reading.
SELECT d.day
FROM greenstream.day d
WHERE d.day BETWEEN %(first_day)s AND %(last_day)s
  AND EXISTS (SELECT FROM greenstream.meter_day m WHERE m.day = d.day)
ORDER BY d.day
