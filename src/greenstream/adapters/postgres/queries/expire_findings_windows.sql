DELETE FROM greenstream.window_finding WHERE resolved_at IS NOT NULL AND window_end < %(before)s
