COPY greenstream.row_finding (reading_at, load_id, meter_key, flag, record_id, energy_value) FROM STDIN (FORMAT csv)
