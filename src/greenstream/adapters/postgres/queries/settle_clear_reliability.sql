DELETE FROM greenstream.meter_reliability WHERE day = %(day)s
