-- Asked once the file holds the activity of these meters, so that no other file moves them meanwhile.
SELECT meter_key
FROM unnest(%(meters)s::integer[], %(locations)s::integer[]) AS n (meter_key, location_key)
JOIN greenstream.meter m USING (meter_key)
WHERE m.location_key <> n.location_key
