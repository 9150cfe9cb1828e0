INSERT INTO greenstream.site (timezone, slot, first_daily)
VALUES (%(timezone)s, make_interval(mins => %(interval_minutes)s), %(first_daily)s)
ON CONFLICT DO NOTHING
