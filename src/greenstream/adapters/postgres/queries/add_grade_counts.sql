INSERT INTO greenstream.grade_count (load_id, day, region, grade, readings)
SELECT %(load_id)s, n.day, n.region, n.grade, n.readings
FROM unnest(%(days)s::date[], %(regions)s::text[], %(codes)s::smallint[], %(readings)s::bigint[])
    AS n (day, region, grade, readings)
