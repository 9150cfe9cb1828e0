SELECT day FROM greenstream.day WHERE day = ANY(%(days)s) AND retired_at IS NOT NULL ORDER BY day
