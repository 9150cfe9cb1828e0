INSERT INTO greenstream.flag (flag, code, rule_id, severity)
VALUES (%(flag)s, %(code)s, %(rule_id)s, %(severity)s)
ON CONFLICT (flag) DO UPDATE SET code = excluded.code, rule_id = excluded.rule_id, severity = excluded.severity
