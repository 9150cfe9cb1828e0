SELECT meter_key, meter_id FROM greenstream.meter WHERE meter_key = ANY(%(keys)s)
