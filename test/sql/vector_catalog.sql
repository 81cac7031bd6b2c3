-- What drivers and the planner read in the catalogs.
SELECT typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage,
	typinput, typoutput, typreceive, typsend, typmodin, typmodout, typcollation
FROM pg_type WHERE oid = 'vector'::regtype \gx

-- The C functions of vectors and bit strings in the schema of the type
CREATE TEMPORARY VIEW vector_function AS
SELECT p.*, p.oid::regprocedure AS function
FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vectorizer')
	AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
	AND p.pronamespace = (SELECT typnamespace FROM pg_type WHERE oid = 'vector'::regtype)
	AND (p.prorettype = 'vector'::regtype OR 'vector'::regtype = ANY (p.proargtypes) OR 'bit'::regtype = ANY (p.proargtypes)
		OR p.proname LIKE 'vector%');
SELECT function, prorettype::regtype AS result FROM vector_function ORDER BY function::text COLLATE "C";
-- All are immutable, strict and parallel safe, and bind to a symbol of ours (no rows)
SELECT function, provolatile, proisstrict, proparallel, prosrc, probin
FROM vector_function
WHERE provolatile <> 'i' OR NOT proisstrict OR proparallel <> 's' OR prosrc NOT LIKE 'vectorizer\_%'
	OR probin <> '$libdir/vectorizer';
DROP VIEW vector_function;

SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod
FROM pg_cast WHERE 'vector'::regtype IN (castsource, casttarget)
ORDER BY castsource::regtype::text COLLATE "C", casttarget::regtype::text COLLATE "C";

SELECT oprname, oprleft::regtype AS type, oprresult::regtype, oprcode::regprocedure, oprcom::regoperator, oprnegate::regoperator,
	oprrest, oprjoin, oprcanmerge, oprcanhash
FROM pg_operator WHERE oprcode::oid IN (
	SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vectorizer'))
	AND oprleft IN ('vector'::regtype, 'bit'::regtype)
ORDER BY oprleft::regtype::text COLLATE "C" DESC, oprname COLLATE "C";

-- Commutators and negators name each other, and take the same types (no rows)
SELECT o.oid::regoperator
FROM pg_operator AS o
	LEFT JOIN pg_operator AS com ON com.oid = o.oprcom
	LEFT JOIN pg_operator AS neg ON neg.oid = o.oprnegate
WHERE 'vector'::regtype IN (o.oprleft, o.oprright)
	AND (com.oprcom <> o.oid OR com.oprleft <> o.oprright OR com.oprright <> o.oprleft OR com.oprresult <> o.oprresult
		OR neg.oprnegate <> o.oid OR neg.oprleft <> o.oprleft OR neg.oprright <> o.oprright OR neg.oid = o.oid
		OR o.oprcode = 0);

SELECT opcname, amname, opcdefault, opcintype::regtype, opckeytype
FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod
WHERE opcintype = 'vector'::regtype AND amname IN ('btree', 'hash', 'brin', 'gin', 'gist', 'spgist');
SELECT amopstrategy, amopopr::regoperator, amoppurpose
FROM pg_amop JOIN pg_opfamily AS f ON f.oid = amopfamily
WHERE opfname = 'vector_ops' AND opfmethod = (SELECT oid FROM pg_am WHERE amname = 'btree') ORDER BY amopstrategy;
SELECT amprocnum, amproc
FROM pg_amproc JOIN pg_opfamily AS f ON f.oid = amprocfamily
WHERE opfname = 'vector_ops' AND opfmethod = (SELECT oid FROM pg_am WHERE amname = 'btree');
SELECT amvalidate(oid) FROM pg_opclass
WHERE opcname = 'vector_ops' AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'btree');

SELECT aggfnoid::regprocedure, aggtransfn, aggfinalfn, aggcombinefn, aggtranstype::regtype, agginitval, proparallel
FROM pg_aggregate JOIN pg_proc ON pg_proc.oid = aggfnoid
WHERE aggfnoid::oid IN (SELECT oid FROM pg_proc WHERE proargtypes = ARRAY['vector'::regtype]::oidvector)
ORDER BY aggfnoid::regprocedure::text COLLATE "C";

-- Every object of the extension has a comment (no rows), but for what it brings along: an array type, a row type
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend AS d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vectorizer')
	AND obj_description(d.objid, (SELECT relname FROM pg_class WHERE oid = d.classid)) IS NULL
	AND NOT EXISTS (SELECT FROM pg_depend AS i WHERE i.classid = d.classid AND i.objid = d.objid AND i.deptype = 'i')
ORDER BY 1;
