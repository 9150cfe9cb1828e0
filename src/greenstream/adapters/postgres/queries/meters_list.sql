-- All meters, or those of one status.
SELECT
    m.meter_id,
    m.status,
    nullif(l.location, '') AS location,
    l.region,
    l.customer_class,
    m.commissioned,
    m.decommissioned,
    a.first_seen_at,
    a.last_seen_at,
    m.reliability
FROM greenstream.meter m
JOIN greenstream.location l USING (location_key)
LEFT JOIN greenstream.meter_activity a USING (meter_key)
WHERE %(status)s::text IS NULL OR m.status = %(status)s
ORDER BY m.meter_id
