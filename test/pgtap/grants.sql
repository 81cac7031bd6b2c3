-- Privileges on namespaces.
BEGIN;
SELECT plan(25);

CREATE ROLE team;
CREATE ROLE member;
CREATE ROLE maker;
GRANT team TO member;
GRANT vectorizer_writer TO maker;
DO $$
BEGIN
	EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %1$s TO PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA %1$s TO PUBLIC',
		pg_my_temp_schema()::regnamespace);
END
$$;
CREATE FUNCTION pg_temp.may(who text, name text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', CASE WHEN has_table_privilege(who, format('vectorizer_data.%I', name), 'SELECT') THEN 'read' END,
		CASE WHEN has_table_privilege(who, format('vectorizer_data.%I', name), 'INSERT') THEN 'write' END)
$$;
SELECT vectorizer.create_collection(name) FROM unnest('{a.one,a.b.two,ab.three,a}'::text[]) name;

SELECT is(vectorizer.grant_namespace('a', 'team'), 3::bigint, 'a namespace, what is below it, and the collection of its name');
SELECT is(pg_temp.may('member', 'a.one'), 'read', 'may be read');
SELECT is(pg_temp.may('member', 'a.b.two'), 'read', 'below');
SELECT is(pg_temp.may('member', 'a'), 'read', 'of its name');
SELECT is(pg_temp.may('member', 'ab.three'), '', 'and no other');
SET ROLE member;
SELECT lives_ok($$SELECT * FROM vectorizer.search('a.*', 'x')$$, 'by members of the role');
SELECT results_eq('SELECT namespace, role, privilege FROM vectorizer.namespace_grants', $$VALUES ('a', 'team', 'read')$$, 'who see why');
RESET ROLE;
SET ROLE maker;
SELECT is_empty('SELECT FROM vectorizer.namespace_grants', 'others do not');
SELECT vectorizer.create_collection('a.later');
RESET ROLE;
SELECT is(pg_temp.may('member', 'a.later'), 'read', 'a collection that comes later, too');
SELECT vectorizer.grant_namespace('a.b', 'team', 'write');
SELECT is(pg_temp.may('member', 'a.b.two'), 'read write', 'a part of it may be written');
SET ROLE member;
SELECT lives_ok($$INSERT INTO vectorizer_data."a.b.two" (content) VALUES ('x')$$, 'really');
SELECT throws_ok($$INSERT INTO vectorizer_data."a.one" (content) VALUES ('x')$$, '42501', NULL, 'the rest not');
RESET ROLE;
SELECT vectorizer.rename_collection('a.b.two', 'c.two');
SELECT is(pg_temp.may('member', 'c.two'), '', 'what leaves the namespace is lost');
SELECT vectorizer.rename_collection('ab.three', 'a.b.three');
SELECT is(pg_temp.may('member', 'a.b.three'), 'read write', 'what enters it is won');
SELECT vectorizer.revoke_namespace('a.b', 'team');
SELECT is(pg_temp.may('member', 'a.b.three'), 'read', 'what another namespace grants stays');
SELECT vectorizer.grant_namespace('a', 'team', 'write');
SELECT vectorizer.grant_namespace('a', 'team', 'read');
SELECT is(pg_temp.may('member', 'a.one'), 'read', 'less can be granted');
SELECT is(vectorizer.revoke_namespace('a', 'team'), 4::bigint, 'and nothing');
SELECT is(pg_temp.may('member', 'a.one'), '', 'then');
SELECT vectorizer.grant_namespace('', 'maker', 'read');
SELECT is(pg_temp.may('maker', 'c.two'), 'read write', 'the empty namespace is all');
SELECT vectorizer.revoke_namespace('', 'maker');
SELECT is(pg_temp.may('maker', 'a.later'), 'read write', 'an owner keeps what is his');
SELECT throws_ok($$SELECT vectorizer.grant_namespace('a', 'nobody')$$, '42704', 'role "nobody" does not exist', 'no such role');
SELECT throws_ok($$SELECT vectorizer.grant_namespace('a b', 'team')$$, '42602', NULL, 'no namespace');
SELECT throws_ok($$SELECT vectorizer.grant_namespace('a', 'team', 'all')$$, '22023', 'unknown privilege "all"', 'no privilege');
SELECT throws_ok($$SELECT vectorizer.revoke_namespace('a', 'team')$$, '42704', 'role "team" has no privilege on namespace "a"', 'nothing to revoke');
SET ROLE maker;
SELECT throws_ok($$SELECT vectorizer.grant_namespace('', 'maker', 'write')$$, '42501', 'permission denied for function grant_namespace', 'for administrators');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
