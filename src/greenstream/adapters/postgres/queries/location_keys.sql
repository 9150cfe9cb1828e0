SELECT l.location_key
FROM unnest(%(locations)s::text[]) WITH ORDINALITY AS n (location, position)
LEFT JOIN greenstream.location l USING (location)
ORDER BY n.position
