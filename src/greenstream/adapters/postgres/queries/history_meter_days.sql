COPY (
    SELECT day, meter_key, slot_values
    FROM greenstream.meter_day
    WHERE day BETWEEN %(first_day)s AND %(last_day)s AND meter_key = ANY(%(meters)s)
) TO STDOUT (FORMAT binary)
