-- Every object of the extension says what it is: COMMENT ON.
BEGIN;
SELECT plan(1);

CREATE TEMPORARY VIEW member AS
SELECT classid, objid
FROM pg_depend AS outer_depend
WHERE refclassid = 'pg_extension'::regclass
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vectorizer')
	AND deptype = 'e'
	-- what an object brings along: a table's row type, a type's array type, an identity column's sequence
	AND NOT EXISTS (
		SELECT FROM pg_depend
		WHERE classid = outer_depend.classid AND objid = outer_depend.objid AND deptype = 'i'
	);

SELECT is_empty(
	$$
		SELECT pg_describe_object(classid, objid, 0)
		FROM member
		WHERE obj_description(objid, classid::regclass::name) IS NULL
			AND classid <> 'pg_cast'::regclass  -- what a cast does, its function says
			-- a family that was made along with the class of its name
			AND NOT (classid = 'pg_opfamily'::regclass AND EXISTS (
				SELECT FROM pg_opfamily AS family JOIN pg_opclass AS class ON class.opcfamily = family.oid
				WHERE family.oid = objid AND class.opcname = family.opfname
			))
		ORDER BY 1
	$$,
	'every object has a comment'
);

SELECT * FROM finish();
ROLLBACK;
