UPDATE greenstream.window_finding SET alerted_at = %(now)s
WHERE alerted_at IS NULL AND detected_at <= %(until)s
