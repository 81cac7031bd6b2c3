-- docs/reference.md names every object of the extension, every column that its functions and views show, and every setting.
\set reference `cat ../docs/reference.md`
BEGIN;
SELECT plan(6);

CREATE TEMPORARY TABLE reference AS SELECT :'reference'::text AS page;

CREATE TEMPORARY VIEW member AS
SELECT classid, objid
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vectorizer')
	AND deptype = 'e';

-- what the page must hold in backticks, word for word
CREATE FUNCTION pg_temp.missing(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format(
		'SELECT name FROM (%s) AS named (name), reference WHERE strpos(page, name) = 0 ORDER BY name', query);
END
$$;

SELECT is_empty($$SELECT pg_temp.missing($query$
	SELECT format('%s%s(%s)', CASE WHEN nspname = 'vectorizer' THEN 'vectorizer.' END, proname, pg_get_function_identity_arguments(p.oid))
	FROM member JOIN pg_proc p ON p.oid = objid JOIN pg_namespace n ON n.oid = pronamespace
	WHERE classid = 'pg_proc'::regclass AND proargmodes IS NULL
	UNION ALL
	SELECT format('vectorizer.%s(%s)', proname, array_to_string(ARRAY(
		SELECT proargnames[i] || ' ' || format_type(proargtypes[i - 1], NULL) FROM generate_series(1, pronargs) AS i), ', '))
	FROM member JOIN pg_proc p ON p.oid = objid
	WHERE classid = 'pg_proc'::regclass AND proargmodes IS NOT NULL
$query$)$$, 'every function, by its signature');

SELECT is_empty($$SELECT pg_temp.missing($query$
	SELECT format('`%s %s %s`', oprleft::regtype, replace(oprname, '|', '\|'), oprright::regtype)
	FROM member JOIN pg_operator o ON o.oid = objid WHERE classid = 'pg_operator'::regclass
	UNION ALL
	SELECT format('`%s`', opcname)
	FROM member JOIN pg_opclass o ON o.oid = objid WHERE classid = 'pg_opclass'::regclass
	UNION ALL
	SELECT format('%s to `vector`', format('`%s`', castsource::regtype))
	FROM member JOIN pg_cast c ON c.oid = objid WHERE classid = 'pg_cast'::regclass AND castsource <> 'vector'::regtype
	UNION ALL
	SELECT format('`vector` to `%s`', CASE castsource WHEN casttarget THEN 'vector(n)' ELSE casttarget::regtype::text END)
	FROM member JOIN pg_cast c ON c.oid = objid WHERE classid = 'pg_cast'::regclass AND castsource = 'vector'::regtype
$query$)$$, 'every operator, operator class and cast');

SELECT is_empty($$SELECT pg_temp.missing($query$
	SELECT format('`%s`', objid::regtype) FROM member WHERE classid = 'pg_type'::regclass
		AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND (t.typrelid <> 0 OR t.typelem <> 0))
	UNION ALL
	SELECT format('The access method %s', amname) FROM member JOIN pg_am a ON a.oid = objid WHERE classid = 'pg_am'::regclass
	UNION ALL
	SELECT format('`%s`', nspname) FROM member JOIN pg_namespace n ON n.oid = objid WHERE classid = 'pg_namespace'::regclass
	UNION ALL
	SELECT CASE relkind WHEN 'v' THEN format('### %s', objid::regclass) ELSE format('`%s`', objid::regclass) END
	FROM member JOIN pg_class c ON c.oid = objid WHERE classid = 'pg_class'::regclass
	UNION ALL
	SELECT format('`%s`', rolname) FROM pg_roles WHERE rolname LIKE 'vectorizer\_%'
$query$)$$, 'every type, access method, schema, table, view and role');

SELECT is_empty($$SELECT pg_temp.missing($query$
	SELECT format('`%s`', attname)
	FROM member JOIN pg_class c ON c.oid = objid JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
	WHERE classid = 'pg_class'::regclass AND relkind = 'v'
$query$)$$, 'every column of the views');

SELECT is_empty($$SELECT pg_temp.missing($query$
	SELECT format(E'| `%s` | `%s` |', name, format_type(type, NULL))
	FROM member JOIN pg_proc p ON p.oid = objid, unnest(proargnames, proargmodes, proallargtypes) AS a (name, mode, type)
	WHERE classid = 'pg_proc'::regclass AND mode IN ('o', 't')
		AND NOT prosecdef AND proname <> 'run_pass'  -- internal
$query$)$$, 'every column that functions return, with its type');

SELECT is_empty($$SELECT pg_temp.missing($query$
	SELECT format('| `%s` | %s | %s | `%s` |', name, CASE boot_val WHEN '' THEN 'empty' ELSE format('`%s`', boot_val) END,
		CASE vartype
			WHEN 'integer' THEN min_val || ' to ' || max_val
			WHEN 'enum' THEN array_to_string(enumvals, ', ')
			WHEN 'bool' THEN 'on, off'
			ELSE CASE name WHEN 'vectorizer.allowed_endpoints' THEN 'origins of URLs' ELSE 'absolute paths' END || ', separated by commas'
		END, context)
	FROM pg_settings WHERE name LIKE 'vectorizer.%'
$query$)$$, 'every setting, with its default, values and context');

SELECT * FROM finish();
ROLLBACK;
