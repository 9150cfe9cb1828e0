SELECT code, subject FROM greenstream.alert WHERE code = ANY (%(codes)s) AND resolved_at IS NULL
