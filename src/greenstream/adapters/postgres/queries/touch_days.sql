INSERT INTO greenstream.day (day, dirty_since)
SELECT n.day, %(now)s FROM unnest(%(days)s::date[]) AS n (day) ORDER BY n.day
ON CONFLICT (day) DO UPDATE SET dirty_since = excluded.dirty_since WHERE day.dirty_since IS NULL
