COPY pg_temp.fresh_meter_day (day, meter_key, slot_values) FROM STDIN (FORMAT binary)
