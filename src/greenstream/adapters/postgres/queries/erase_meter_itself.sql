DELETE FROM greenstream.meter WHERE meter_key = %(meter_key)s
