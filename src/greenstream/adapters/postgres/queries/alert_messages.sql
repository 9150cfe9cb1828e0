SELECT count(*) FROM greenstream.alert_message WHERE channel = %(channel)s AND sent_at > %(since)s
