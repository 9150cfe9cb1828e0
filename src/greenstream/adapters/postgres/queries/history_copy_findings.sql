COPY pg_temp.found (code, meter_key, window_start, window_end, began_earlier, detail) FROM STDIN (FORMAT csv)
