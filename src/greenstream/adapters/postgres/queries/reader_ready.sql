-- Whether our reader can log in and read all relations, and neither it nor PUBLIC can do more; no row without the role.
SELECT
    role.rolcanlogin
    AND NOT (role.rolsuper OR role.rolcreatedb OR role.rolcreaterole OR role.rolreplication OR role.rolbypassrls)
    AND role.rolconnlimit = %(connections)s
    AND coalesce(role.rolconfig @> %(settings)s::text[], false)
    AND has_database_privilege(role.oid, current_database(), 'CONNECT')
    AND NOT EXISTS (
        SELECT FROM unnest(%(relations)s::text[]) AS relation
        WHERE NOT coalesce(has_table_privilege(role.oid, to_regclass('public.' || relation), 'SELECT'), false)
    )
FROM pg_roles AS role
WHERE role.rolname = %(role)s
