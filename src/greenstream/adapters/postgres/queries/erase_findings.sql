WITH rows AS (DELETE FROM greenstream.row_finding WHERE meter_key = %(meter_key)s RETURNING 1),
windows AS (DELETE FROM greenstream.window_finding WHERE meter_key = %(meter_key)s RETURNING 1),
alerts AS (DELETE FROM greenstream.alert WHERE subject = %(meter_id)s RETURNING 1),
told AS (DELETE FROM greenstream.alert_told WHERE subject = %(meter_id)s)
SELECT (SELECT count(*) FROM rows) + (SELECT count(*) FROM windows) + (SELECT count(*) FROM alerts)
