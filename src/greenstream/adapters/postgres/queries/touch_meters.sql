INSERT INTO greenstream.meter_activity AS known (meter_key, first_seen_at, last_seen_at)
SELECT n.meter_key, n.first_seen_at, n.last_seen_at
FROM unnest(%(meters)s::integer[], %(first)s::timestamptz[], %(last)s::timestamptz[])
    AS n (meter_key, first_seen_at, last_seen_at)
ORDER BY n.meter_key
ON CONFLICT (meter_key) DO UPDATE
SET first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
WHERE excluded.first_seen_at < known.first_seen_at OR excluded.last_seen_at > known.last_seen_at
