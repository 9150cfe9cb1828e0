-- From now on no reading of it is taken in, up to this moment. `days` are those on which the lake may have some.
INSERT INTO greenstream.erasure (meter_sha256, until, reason, requested_at, days)
SELECT decode(%(meter_sha256)s, 'hex'), %(now)s, %(reason)s, %(now)s, coalesce(array_agg(DISTINCT day), '{}')
FROM greenstream.meter_day WHERE meter_key = %(meter_key)s
RETURNING erasure_id
