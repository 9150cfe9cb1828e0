INSERT INTO greenstream.flag_count (load_id, day, region, flag, readings)
SELECT %(load_id)s, n.day, n.region, n.flag, n.readings
FROM unnest(%(days)s::date[], %(regions)s::text[], %(codes)s::smallint[], %(readings)s::bigint[])
    AS n (day, region, flag, readings)
