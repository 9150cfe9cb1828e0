-- Days that are dirty already are left alone: even an update that changes nothing would wait for whoever loads into
-- them, as loads hold their days.
INSERT INTO greenstream.day (day, dirty_since)
SELECT n.day, %(now)s FROM unnest(%(days)s::date[]) AS n (day)
WHERE NOT EXISTS (SELECT FROM greenstream.day d WHERE d.day = n.day AND d.dirty_since IS NOT NULL)
ORDER BY n.day
ON CONFLICT (day) DO UPDATE SET dirty_since = excluded.dirty_since WHERE day.dirty_since IS NULL
