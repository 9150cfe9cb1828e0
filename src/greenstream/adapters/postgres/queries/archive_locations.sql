SELECT location_key, nullif(location, ''), customer_class, region
FROM greenstream.location
WHERE location_key = ANY(%(keys)s)
