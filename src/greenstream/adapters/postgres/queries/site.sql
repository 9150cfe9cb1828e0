SELECT timezone, extract(epoch FROM slot)::integer / 60 AS interval_minutes, first_daily FROM greenstream.site
