-- The readings of some meters in some slots, each packed into one number: slot behind the first one, then the value
-- raised by 3 (0.1 W; -1 negative, -2 no kW, -3 null).
SELECT
    meter_key,
    array_agg(
        ((date_part('epoch', reading_at)::bigint / %(seconds)s - %(first_slot)s) << %(bits)s)
        + 3 + CASE
            WHEN power IS NOT NULL THEN greatest(power, -1)
            WHEN energy_value IS NULL THEN -3
            ELSE -2
        END
    )
FROM greenstream.reading
WHERE reading_at >= %(start)s AND reading_at < %(stop)s AND meter_key = ANY(%(meters)s)
GROUP BY meter_key
