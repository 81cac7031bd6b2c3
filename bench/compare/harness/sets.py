"""The sets of vectors: files of a data folder, or generated ones. All end up under WORK/sets/NAME as base.fvecs, query.fvecs
and truth.ivecs, which holds the 100 nearest rows of each query."""

import dataclasses
import lzma
import os
import pathlib
import shutil
import subprocess
import sys

QUERIES = 1000
NEAREST = 100


@dataclasses.dataclass(frozen=True)
class Set:
	name: str
	metric: str  # l2 or cosine
	memory: str  # maintenance_work_mem in which either extension builds it as a whole
	rows: int = 0  # of a generated set
	dimensions: int = 0
	spread: float = 0

	@property
	def operator(self):
		return {"l2": "<->", "cosine": "<=>"}[self.metric]

	@property
	def opclass(self):
		return f"vector_{self.metric}_ops"


SETS = {set.name: set for set in [
	Set("sentences300", "cosine", "384MB"),
	Set("fashion784", "l2", "384MB"),
	Set("gauss384", "l2", "4GB", 1_000_000, 384, 1.4),
	Set("gauss1536", "cosine", "640MB", 50_000, 1536, 1.0),
	Set("gauss3072", "cosine", "1GB", 50_000, 3072, 1.0),
	Set("gauss64", "l2", "128MB", 20_000, 64, 1.0),  # small: to try the harness itself
]}


class Files:
	def __init__(self, set, work, data, programs):
		self.set = set
		self.folder = pathlib.Path(work) / "sets" / set.name
		self.base = self.folder / "base.fvecs"
		self.query = self.folder / "query.fvecs"
		self.truth = self.folder / "truth.ivecs"
		self.programs = pathlib.Path(programs)
		self.source = pathlib.Path(data) / set.name

	def prepare(self):
		if self.truth.exists():
			return
		self.folder.mkdir(parents=True, exist_ok=True)
		if self.set.rows:
			subprocess.run([self.programs / "generate", f"rows={self.set.rows}", f"dimensions={self.set.dimensions}",
				f"queries={QUERIES}", f"spread={self.set.spread}", f"base={self.base}", f"asked={self.query}", self._threads()],
				check=True)
			self.nearest(self.folder / "truth.new")
		else:
			if not self.source.is_dir():
				sys.exit(f"{self.set.name} is not generated: name the folder that holds it by --data")
			for source, target in [("base.fvecs", self.base), ("query.fvecs", self.query), ("groundtruth.ivecs", "truth.new")]:
				with lzma.open(self.source / f"{source}.xz") as packed, open(self.folder / target, "wb") as plain:
					shutil.copyfileobj(packed, plain)
		os.rename(self.folder / "truth.new", self.truth)

	def nearest(self, out, live=None):
		"""Writes the exact nearest of each query among the rows whose byte in live is not 0."""
		words = []
		if live is not None:
			(self.folder / "live").write_bytes(live)
			words = [f"live={self.folder}/live"]
		subprocess.run([self.programs / "truth", f"base={self.base}", f"queries={self.query}", f"metric={self.set.metric}",
			f"k={NEAREST}", f"out={out}", self._threads(), *words], check=True)

	def rows(self):
		return os.path.getsize(self.base) // (4 * (self.dimensions() + 1))

	def dimensions(self):
		with open(self.base, "rb") as file:
			return int.from_bytes(file.read(4), "little")

	@staticmethod
	def _threads():
		return f"threads={os.cpu_count()}"
