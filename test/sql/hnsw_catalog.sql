-- The access method's entries in the catalogue, as PostgreSQL's own opr_sanity asks them.
SELECT amname, amtype FROM pg_am WHERE amname = 'hnsw';
SELECT opcname, opcintype::regtype, opcdefault, amvalidate(c.oid)
FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = opcmethod WHERE amname = 'hnsw' ORDER BY opcname;
SELECT f.opfname, amopstrategy, amoppurpose, amopopr::regoperator, s.opfname AS sorted_by
FROM pg_amop JOIN pg_opfamily AS f ON f.oid = amopfamily JOIN pg_am AS a ON a.oid = opfmethod
	JOIN pg_opfamily AS s ON s.oid = amopsortfamily WHERE amname = 'hnsw' ORDER BY 1;
SELECT opfname, amprocnum, amproc::regprocedure
FROM pg_amproc JOIN pg_opfamily AS f ON f.oid = amprocfamily JOIN pg_am AS a ON a.oid = opfmethod WHERE amname = 'hnsw' ORDER BY 1;

-- Every operator class of hnsw orders by an immutable, strict function that returns float8
SELECT amopopr::regoperator, provolatile, proisstrict, proparallel
FROM pg_amop JOIN pg_am AS a ON a.oid = amopmethod JOIN pg_operator AS o ON o.oid = amopopr JOIN pg_proc AS p ON p.oid = oprcode
WHERE amname = 'hnsw' AND (provolatile <> 'i' OR NOT proisstrict OR proparallel <> 's' OR prorettype <> 'float8'::regtype);

-- What the method can do
SELECT p, pg_indexam_has_property(oid, p) FROM pg_am, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']) AS p
WHERE amname = 'hnsw' ORDER BY p;
CREATE TABLE hnsw_catalog (v vector(3));
CREATE INDEX hnsw_catalog_v ON hnsw_catalog USING hnsw (v vector_l2_ops);
SELECT p, pg_index_has_property('hnsw_catalog_v', p) FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan']) AS p ORDER BY p;
SELECT p, pg_index_column_has_property('hnsw_catalog_v', 1, p)
FROM unnest(ARRAY['orderable', 'returnable', 'search_array', 'search_nulls']) AS p ORDER BY p;
DROP TABLE hnsw_catalog;

-- amvalidate finds what is wrong with a class
CREATE OPERATOR CLASS hnsw_without_support FOR TYPE vector USING hnsw AS OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS hnsw_wrong_operator FOR TYPE vector USING hnsw AS OPERATOR 1 = (vector, vector), FUNCTION 1 hnsw_vector_l2(internal);
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcname LIKE 'hnsw\_w%' ORDER BY opcname;
DROP OPERATOR FAMILY hnsw_without_support USING hnsw;
DROP OPERATOR FAMILY hnsw_wrong_operator USING hnsw;

-- index_info and index_check: other relations, other users
CREATE TABLE hnsw_owned (id int PRIMARY KEY, v vector(3));
CREATE INDEX hnsw_owned_v ON hnsw_owned USING hnsw (v vector_l2_ops);
SELECT vectorizer.index_check('hnsw_owned');
SELECT vectorizer.index_check('hnsw_owned_pkey');
SELECT vectorizer.index_info('hnsw_owned');
SELECT vectorizer.index_info('hnsw_owned_pkey');
SELECT vectorizer.index_check(0);
CREATE ROLE regress_hnsw_outsider;
GRANT USAGE ON SCHEMA vectorizer TO regress_hnsw_outsider;
SET ROLE regress_hnsw_outsider;
SELECT vectorizer.index_check('hnsw_owned_v');
RESET ROLE;
REVOKE USAGE ON SCHEMA vectorizer FROM regress_hnsw_outsider;
DROP ROLE regress_hnsw_outsider;
DROP TABLE hnsw_owned;
