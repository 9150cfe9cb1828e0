WITH old AS (DELETE FROM greenstream.alert_message WHERE sent_at < %(now)s::timestamptz - interval '1 day')
INSERT INTO greenstream.alert_message (channel, sent_at, alerts) VALUES (%(channel)s, %(now)s, %(alerts)s)
