SELECT max(last_seen_at) AS newest FROM greenstream.meter_activity
