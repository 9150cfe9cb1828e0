INSERT INTO greenstream.meter (meter_id, location_key)
SELECT n.meter_id, n.location_key
FROM unnest(%(meters)s::text[], %(locations)s::integer[]) AS n (meter_id, location_key)
LEFT JOIN greenstream.meter m USING (meter_id)
WHERE m.meter_key IS NULL
ORDER BY n.meter_id
ON CONFLICT (meter_id) DO NOTHING
RETURNING meter_id
