-- What is known of a meter is from its last settled day.
UPDATE greenstream.meter m
SET reliability = r.reliability
FROM greenstream.meter_reliability r
WHERE r.day = %(day)s
  AND r.meter_key = m.meter_key
  AND m.reliability IS DISTINCT FROM r.reliability
  AND NOT EXISTS (
      SELECT FROM greenstream.meter_reliability later WHERE later.meter_key = m.meter_key AND later.day > %(day)s
  )
