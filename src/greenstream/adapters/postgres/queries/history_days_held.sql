-- On how many days, from one on, there are values of each of some meters.
SELECT d.meter_key, count(*)
FROM unnest(%(meters)s::integer[]) AS m (meter_key)
JOIN greenstream.meter_day d ON d.meter_key = m.meter_key AND d.day >= %(first_day)s
GROUP BY d.meter_key
