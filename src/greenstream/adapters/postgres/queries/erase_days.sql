SELECT unnest(days) AS day FROM greenstream.erasure WHERE erasure_id = %(erasure_id)s ORDER BY 1
