SELECT n.name
FROM unnest(%(names)s::text[]) AS n (name)
WHERE to_regclass('greenstream.' || n.name) IS NOT NULL
ORDER BY n.name
