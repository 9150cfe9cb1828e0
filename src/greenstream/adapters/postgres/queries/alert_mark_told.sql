INSERT INTO greenstream.alert_told AS t (channel, code, subject, alert_id, count, told_at)
SELECT %(channel)s, a.code, a.subject, a.alert_id, n.count, %(now)s
FROM unnest(%(alerts)s::bigint[], %(counts)s::bigint[]) AS n (alert_id, count)
JOIN greenstream.alert a USING (alert_id)
ON CONFLICT (channel, code, md5(subject))
DO UPDATE SET alert_id = excluded.alert_id, count = excluded.count, told_at = excluded.told_at
