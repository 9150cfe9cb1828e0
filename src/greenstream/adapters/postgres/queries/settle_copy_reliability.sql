COPY greenstream.meter_reliability (day, meter_key, usable, slots, reliability) FROM STDIN (FORMAT csv)
