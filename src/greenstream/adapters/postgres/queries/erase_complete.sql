UPDATE greenstream.erasure SET completed_at = %(now)s WHERE erasure_id = %(erasure_id)s
