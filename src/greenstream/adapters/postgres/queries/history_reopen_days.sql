-- Settled days in the spans. One that is locked is just being loaded into, and so has to be settled again anyway.
WITH stale AS (
    SELECT d.day
    FROM greenstream.day d
    WHERE d.dirty_since IS NULL
      AND EXISTS (
          SELECT FROM unnest(%(first)s::date[], %(last)s::date[]) AS s (first, last)
          WHERE d.day BETWEEN s.first AND s.last
      )
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE greenstream.day d SET dirty_since = %(now)s FROM stale WHERE stale.day = d.day
