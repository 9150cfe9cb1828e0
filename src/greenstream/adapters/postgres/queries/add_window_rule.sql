INSERT INTO greenstream.window_rule (code, rule_id, severity) VALUES (%(code)s, %(rule_id)s, %(severity)s)
ON CONFLICT (code) DO UPDATE SET rule_id = excluded.rule_id, severity = excluded.severity
