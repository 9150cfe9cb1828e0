-- What a role can't do that a reader must.
SELECT format('CONNECT on the database %%s', current_database())
WHERE NOT has_database_privilege(%(role)s, current_database(), 'CONNECT')
UNION ALL
SELECT 'USAGE on the schema public'
WHERE NOT has_schema_privilege(%(role)s, 'public', 'USAGE')
UNION ALL
SELECT 'SELECT on ' || relation
FROM unnest(%(relations)s::text[]) AS relation
WHERE NOT has_table_privilege(%(role)s, 'public.' || relation, 'SELECT')
