INSERT INTO greenstream.location (location, customer_class, region)
SELECT n.location, n.customer_class, n.region
FROM unnest(%(locations)s::text[], %(classes)s::text[], %(regions)s::text[]) AS n (location, customer_class, region)
LEFT JOIN greenstream.location l USING (location)
WHERE l.location_key IS NULL
ORDER BY n.location
ON CONFLICT (location) DO NOTHING
