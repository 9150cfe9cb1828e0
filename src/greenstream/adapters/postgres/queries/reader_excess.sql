-- What the role of this connection can do beyond reading.
SELECT power.name AS what
FROM pg_roles AS role
CROSS JOIN LATERAL (
    VALUES ('is a superuser', rolsuper), ('may create roles', rolcreaterole), ('may create databases', rolcreatedb),
        ('may replicate', rolreplication), ('passes row security', rolbypassrls)
) AS power (name, given)
WHERE role.rolname = current_user AND power.given
UNION ALL
SELECT 'has the role ' || granted.rolname
FROM pg_roles AS granted
WHERE granted.rolname <> current_user AND pg_has_role(granted.oid, 'MEMBER')
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
UNION ALL
SELECT 'may create schemas' WHERE has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT 'may create tables in public' WHERE has_schema_privilege('public', 'CREATE')
UNION ALL
SELECT format('may write %%s', relation.oid::regclass)
FROM pg_class AS relation
WHERE relation.relnamespace = 'public'::regnamespace AND relation.relname = ANY(%(relations)s::text[])
    AND has_table_privilege(relation.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'sees the tables of the schema greenstream' WHERE has_schema_privilege('greenstream', 'USAGE')
