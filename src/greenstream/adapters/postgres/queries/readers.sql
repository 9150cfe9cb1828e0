-- The roles that were given each of our relations that are there.
SELECT role.rolname
FROM pg_class AS relation
CROSS JOIN LATERAL aclexplode(relation.relacl) AS given
JOIN pg_roles AS role ON role.oid = given.grantee
WHERE relation.relnamespace = 'public'::regnamespace AND relation.relname = ANY(%(relations)s::text[])
    AND given.privilege_type = 'SELECT' AND given.grantee <> relation.relowner
GROUP BY role.rolname
HAVING count(DISTINCT relation.oid) = (
    SELECT count(*) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%(relations)s::text[])
)
ORDER BY role.rolname
