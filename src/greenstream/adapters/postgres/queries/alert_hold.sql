-- A condition that goes on is the alert it was, even one that a person has seen.
WITH held AS (
    SELECT *
    FROM unnest(%(codes)s::text[], %(severities)s::text[], %(subjects)s::text[], %(messages)s::text[])
        AS h (code, severity, subject, message)
), going_on AS (
    UPDATE greenstream.alert a
    SET last_at = %(now)s, message = h.message
    FROM held h
    WHERE a.code = h.code AND md5(a.subject) = md5(h.subject) AND a.resolved_at IS NULL
    RETURNING h.code, h.subject
)
INSERT INTO greenstream.alert (code, severity, subject, message, first_at, last_at)
SELECT h.code, h.severity, h.subject, h.message, %(now)s, %(now)s
FROM held h
WHERE (h.code, h.subject) NOT IN (SELECT code, subject FROM going_on)
