UPDATE greenstream.meter m
SET location_key = n.location_key
FROM unnest(%(meters)s::text[], %(locations)s::integer[]) AS n (meter_id, location_key)
WHERE m.meter_id = n.meter_id
  AND m.location_key <> n.location_key
  AND NOT EXISTS (SELECT FROM greenstream.meter_activity a WHERE a.meter_key = m.meter_key)
RETURNING m.meter_id
