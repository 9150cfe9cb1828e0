INSERT INTO greenstream.flag_set (flags, codes) VALUES (%(flags)s, %(codes)s)
ON CONFLICT (flags) DO UPDATE SET codes = excluded.codes
