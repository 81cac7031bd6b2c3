"""One PostgreSQL server for both extensions, started anew whenever its settings change."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import threading
import time

BINDIR = os.environ.get("BINDIR", "")
USER = "postgres" if os.geteuid() == 0 else None

SETTINGS = {
	"listen_addresses": "''",
	"port": "5432",
	"shared_buffers": "4GB",
	"huge_pages": "off",
	"max_wal_size": "32GB",
	"checkpoint_timeout": "1h",
	"fsync": "on",
	"synchronous_commit": "on",
	"full_page_writes": "on",
	"wal_level": "replica",
	"wal_compression": "off",
	"autovacuum": "off",
	"jit": "off",
	"max_parallel_workers_per_gather": "0",
	"effective_cache_size": "12GB",
	"max_worker_processes": "16",
	"lc_messages": "'C'",
}


def as_server(*command, **options):
	groups = {"user": USER, "group": USER, "extra_groups": []} if USER else {}
	return subprocess.run(command, cwd="/", check=True, text=True, **groups, **options)


class Server:
	"""REQUIRES: the folder belongs to the server's user; STAGE and PKGLIBDIR are in the environment."""

	def __init__(self, folder):
		self.folder = pathlib.Path(folder)
		self.data = self.folder / "data"
		self.settings = None

	def start(self, **changes):
		"""Runs with SETTINGS and these changes to them."""
		settings = {**SETTINGS, **changes}
		if self.settings == settings:
			return
		self.stop()
		if not (self.data / "PG_VERSION").exists():
			shutil.rmtree(self.data, ignore_errors=True)
			as_server(f"{BINDIR}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
				"--no-instructions", stdout=subprocess.DEVNULL)
			with open(self.data / "postgresql.conf", "a") as conf:
				conf.write("include 'compare.conf'\n")
		stage = os.environ["STAGE"]
		settings_of_place = {
			"unix_socket_directories": f"'{self.folder}'",
			"extension_destdir": f"'{stage}'",
			"dynamic_library_path": f"'{stage}{os.environ['PKGLIBDIR']}:$libdir'",
		}
		with open(self.data / "compare.conf", "w") as conf:
			conf.writelines(f"{name} = {value}\n" for name, value in {**settings, **settings_of_place}.items())
		os.chmod(self.data / "compare.conf", 0o644)
		as_server(f"{BINDIR}/pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-s", "-t", "600", "start",
			stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
		self.settings = settings

	def stop(self):
		if (self.data / "postmaster.pid").exists():
			with contextlib.suppress(subprocess.CalledProcessError):
				as_server(f"{BINDIR}/pg_ctl", "-D", self.data, "-m", "fast", "-w", "-s", "-t", "600", "stop")
		self.settings = None

	def where(self, database):
		return f"host={self.folder} user=postgres dbname={database}"

	def sql(self, database, *statements, notices=False):
		"""Runs statements on one connection; their output, columns by tabs, and the notices as a second string if asked for."""
		words = [word for statement in statements for word in ("-c", statement)]
		done = subprocess.run(
			[f"{BINDIR}/psql", "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.where(database), *words],
			cwd="/", text=True, capture_output=True)
		if done.returncode != 0:
			raise RuntimeError(f"{statements}: {done.stderr}")
		output = done.stdout.strip()
		return (output, done.stderr.strip()) if notices else output

	def wal_position(self):
		return int(self.sql("postgres", "SELECT pg_current_wal_insert_lsn() - '0/0'"))

	def postmaster(self):
		return int((self.data / "postmaster.pid").read_text().split()[0])


class MemoryWatch:
	"""The most memory that the server took while this was entered, beyond what it held at that moment: anonymous private
	memory of all its processes (RssAnon; the buffer pool is shared memory and not in it) and what lies in /dev/shm, where
	dynamic shared memory is."""

	INTERVAL = .02

	def __init__(self, server):
		self.postmaster = server.postmaster()
		self.peak = 0

	def _now(self):
		total = 0
		for entry in os.scandir("/proc"):
			if entry.name.isdigit():
				with contextlib.suppress(OSError, ValueError, KeyError):
					with open(f"/proc/{entry.name}/status") as status:
						fields = dict(line.split(":", 1) for line in status)
					if self.postmaster in (int(fields["PPid"]), int(entry.name)):
						total += 1024 * int(fields["RssAnon"].split()[0])
		shm = os.statvfs("/dev/shm")
		return total + (shm.f_blocks - shm.f_bfree) * shm.f_frsize

	def _watch(self):
		while not self._ended.wait(self.INTERVAL):
			self.peak = max(self.peak, self._now() - self._before)

	def __enter__(self):
		self._ended = threading.Event()
		self._before = self._now()
		self._thread = threading.Thread(target=self._watch)
		self._thread.start()
		return self

	def __exit__(self, *_):
		self._ended.set()
		self._thread.join()


class Stopwatch:
	def __enter__(self):
		self._from = time.monotonic()
		return self

	def __exit__(self, *_):
		self.seconds = time.monotonic() - self._from
