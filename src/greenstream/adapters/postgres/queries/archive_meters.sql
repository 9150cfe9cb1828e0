-- Every meter, since when and until when it is one of the fleet, and where it is by now.
SELECT
    m.meter_key, m.meter_id, nullif(l.location, ''), l.customer_class, l.region,
    least(a.first_seen_at, m.commissioned::timestamp AT TIME ZONE s.timezone),
    m.decommissioned::timestamp AT TIME ZONE s.timezone
FROM greenstream.meter m
JOIN greenstream.location l USING (location_key)
LEFT JOIN greenstream.meter_activity a USING (meter_key)
CROSS JOIN greenstream.site s
