SELECT m.meter_key, m.reliability
FROM unnest(%(meters)s::text[]) WITH ORDINALITY AS n (meter_id, position)
LEFT JOIN greenstream.meter m USING (meter_id)
ORDER BY n.position
