SELECT reason FROM greenstream.erasure WHERE requested_at > %(since)s ORDER BY requested_at
