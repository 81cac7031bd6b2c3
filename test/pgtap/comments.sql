-- Every object of the extension says what it is: COMMENT ON.
BEGIN;
SELECT plan(1);

SELECT is_empty(
	$$
		SELECT pg_describe_object(member.classid, member.objid, 0)
		FROM pg_depend AS member
		WHERE member.refclassid = 'pg_extension'::regclass
			AND member.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vectorizer')
			AND member.deptype = 'e'
			-- rows of link tables and what a type or table brings along have no comment of their own
			AND member.classid NOT IN ('pg_cast'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass)
			AND NOT EXISTS (
				SELECT FROM pg_depend AS part
				WHERE part.classid = member.classid AND part.objid = member.objid AND part.deptype IN ('i', 'a')
			)
			AND obj_description(member.objid, member.classid::regclass::name) IS NULL
		ORDER BY 1
	$$,
	'every object has a comment'
);

SELECT * FROM finish();
ROLLBACK;
