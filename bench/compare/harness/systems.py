"""The two extensions: a database each, and the same table and index in both."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class System:
	name: str
	extension: str
	setting: str  # which widens a search

	@property
	def database(self):
		return self.name


VECTORIZER = System("vectorizer", "vectorizer", "vectorizer.ef_search")
PGVECTOR = System("pgvector", "vector", "hnsw.ef_search")
SYSTEMS = [VECTORIZER, PGVECTOR]

OPTIONS = "m = 16, ef_construction = 64"


class Tables:
	"""What stands in the server. A database is made for one version of its extension, an index for one variant: its comment
	says which."""

	def __init__(self, server, program):
		self.server = server
		self.program = program  # the path of programs/write

	def version(self, system):
		if system is VECTORIZER:
			return os.environ["CODE_VERSION"]
		return self.server.sql("postgres",
			f"SELECT default_version FROM pg_available_extensions WHERE name = '{system.extension}'")

	def ensure_database(self, system):
		wanted = self.version(system)
		found = self.server.sql("postgres", "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
			f"WHERE datname = '{system.database}'")
		if found == wanted:
			return
		self.server.sql("postgres", f"DROP DATABASE IF EXISTS {system.database}")
		self.server.sql("postgres", f"CREATE DATABASE {system.database}")
		self.server.sql(system.database, f"CREATE EXTENSION {system.extension}", "CREATE EXTENSION pg_prewarm",
			f"COMMENT ON DATABASE {system.database} IS '{wanted}'")

	def create(self, system, table, dimensions):
		self.ensure_database(system)
		self.server.sql(system.database, "SET client_min_messages = warning", f"DROP TABLE IF EXISTS {table}",
			f"CREATE TABLE {table} (id integer, v vector({dimensions}))")

	def exists(self, system, table):
		self.ensure_database(system)
		return self.server.sql(system.database, f"SELECT to_regclass('{table}') IS NOT NULL "
			f"AND obj_description(to_regclass('{table}')) = 'loaded'") == "t"

	def ensure_loaded(self, system, files):
		"""The whole set in a table of its name."""
		table = files.set.name
		if not self.exists(system, table):
			self.create(system, table, files.dimensions())
			self.program("write", f"where={self.server.where(system.database)}", f"table={table}", f"base={files.base}")
			self.server.sql(system.database, f"VACUUM ANALYZE {table}", f"COMMENT ON TABLE {table} IS 'loaded'")

	def shuffle(self, system, table, seed):
		"""Puts the table's rows in another order, the same for each system."""
		self.server.sql(system.database, "SET client_min_messages = warning", "DROP TABLE IF EXISTS shuffled",
			f"CREATE TABLE shuffled AS SELECT * FROM {table} ORDER BY hashint4extended(id, {seed})",
			f"DROP TABLE {table}", f"ALTER TABLE shuffled RENAME TO {table}", f"VACUUM ANALYZE {table}",
			f"COMMENT ON TABLE {table} IS 'loaded'")

	def index_variant(self, system, table):
		return self.server.sql(system.database, f"SELECT obj_description(to_regclass('{table}_hnsw'))")

	def drop_index(self, system, table):
		self.server.sql(system.database, "SET client_min_messages = warning", f"DROP INDEX IF EXISTS {table}_hnsw")

	def create_index(self, system, set, table, variant, options="", memory=None, workers=0):
		"""Builds it; what the server had to say meanwhile. The variant is noted where nothing was said."""
		_, said = self.server.sql(system.database,
			f"SET maintenance_work_mem = '{memory or set.memory}'",
			f"SET max_parallel_maintenance_workers = {workers}",
			f"CREATE INDEX {table}_hnsw ON {table} USING hnsw (v {set.opclass}) WITH ({OPTIONS}{options})", notices=True)
		self.server.sql(system.database, f"COMMENT ON INDEX {table}_hnsw IS '{variant}'")
		return said

	def index_bytes(self, system, table):
		return int(self.server.sql(system.database, f"SELECT pg_relation_size('{table}_hnsw')"))

	def prewarm(self, system, table):
		self.server.sql(system.database,
			"SELECT pg_prewarm(relation) FROM (SELECT oid AS relation FROM pg_class "
			f"WHERE oid = '{table}'::regclass UNION ALL SELECT reltoastrelid FROM pg_class "
			f"WHERE oid = '{table}'::regclass AND reltoastrelid <> 0 UNION ALL SELECT indexrelid FROM pg_index "
			f"WHERE indrelid = '{table}'::regclass) AS parts")
