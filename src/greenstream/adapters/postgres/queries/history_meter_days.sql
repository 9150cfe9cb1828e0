-- Each day's keys and values of meters in one piece: a row a meter would take longer to fetch than to use.
SELECT day, length(slot_values), string_agg(int4send(meter_key) || slot_values, ''::bytea)
FROM greenstream.meter_day
WHERE day BETWEEN %(first_day)s AND %(last_day)s AND meter_key = ANY(%(meters)s)
GROUP BY day, length(slot_values)
