SELECT code, count(*) FROM greenstream.window_finding WHERE detected_at = %(at)s GROUP BY code ORDER BY code
