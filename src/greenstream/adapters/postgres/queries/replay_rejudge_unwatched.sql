-- Word for the history rules.
INSERT INTO greenstream.unwatched AS known (load_id, day, first_at, last_at, meters)
SELECT load_id, %(day)s, min(reading_at), max(reading_at), array_agg(DISTINCT meter_key)
FROM pg_temp.rejudged
GROUP BY load_id
ON CONFLICT (load_id, day) DO UPDATE
SET first_at = least(known.first_at, excluded.first_at),
    last_at = greatest(known.last_at, excluded.last_at),
    meters = ARRAY(SELECT DISTINCT unnest(known.meters || excluded.meters))
