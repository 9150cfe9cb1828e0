UPDATE greenstream.alert a
SET resolved_at = %(now)s
FROM unnest(%(codes)s::text[], %(subjects)s::text[]) AS e (code, subject)
WHERE a.code = e.code AND md5(a.subject) = md5(e.subject) AND a.resolved_at IS NULL
