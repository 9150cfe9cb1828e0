-- Settled days in the spans, and the last of all if a meter that begins earlier now has another reliability on it: that
-- is what is known of the meter by now. On other days it has no reading whose score could change.
-- A day that is locked is just being loaded into, and so has to be settled again anyway.
WITH stale AS (
    SELECT d.day
    FROM greenstream.day d
    WHERE d.dirty_since IS NULL
      AND (
          EXISTS (
              SELECT FROM unnest(%(first)s::date[], %(last)s::date[]) AS s (first, last)
              WHERE d.day BETWEEN s.first AND s.last
          )
          OR d.day BETWEEN %(if_last_from)s AND %(if_last_to)s
          AND d.day = (SELECT max(l.day) FROM greenstream.day l WHERE l.settled_at IS NOT NULL)
      )
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE greenstream.day d SET dirty_since = %(now)s FROM stale WHERE stale.day = d.day
