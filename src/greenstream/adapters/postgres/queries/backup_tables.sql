SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND (n.nspname IN ('greenstream', 'greenstream_queue') OR (n.nspname, c.relname) = ('public', 'greenstream_version'))
ORDER BY 1, 2
