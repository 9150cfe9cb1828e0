-- Leave word for the history rules of readings that are gone.
INSERT INTO greenstream.unwatched AS known (load_id, day, first_at, last_at, meters)
SELECT t.load_id, (t.reading_at AT TIME ZONE s.timezone)::date AS day,
    min(t.reading_at), max(t.reading_at), array_agg(DISTINCT t.meter_key)
FROM taken_out t CROSS JOIN greenstream.site s
GROUP BY 1, 2
ON CONFLICT (load_id, day) DO UPDATE
SET first_at = least(known.first_at, excluded.first_at),
    last_at = greatest(known.last_at, excluded.last_at),
    meters = ARRAY(SELECT DISTINCT unnest(known.meters || excluded.meters))
