SELECT meter_id, meter_key FROM greenstream.meter WHERE meter_id = ANY(%(meters)s)
