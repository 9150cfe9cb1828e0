SELECT to_char(t.instant AT TIME ZONE %(timezone)s, 'YYYY-MM-DD HH24:MI:SS') AS local
FROM unnest(%(instants)s::timestamptz[]) WITH ORDINALITY AS t (instant, position)
ORDER BY t.position
