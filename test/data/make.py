#!/usr/bin/env python3
"""Makes the subsets of this folder from full sets: the first ROWS rows, the first QUERIES queries, and their exact nearest
rows by brute force, in double precision (equal distances: the lower row number first). Takes some minutes.

usage: make.py FULL [TO]      FULL: folder with fashion784/ and sentences300/, each base.fvecs.xz and query.fvecs.xz
"""
import lzma
import math
import os
import struct
import sys
from array import array
from heapq import nsmallest
from operator import mul

ROWS, QUERIES, NEAREST = 10000, 200, 20
SETS = {"fashion784": ("l2", "bvecs"), "sentences300": ("cosine", "fvecs")}
# rows are aligned to four bytes, or to none: xz is told
FILTERS = {
    "bvecs": [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}],
    "fvecs": [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 2, "lp": 2, "pb": 2}],
    "ivecs": [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 2, "pb": 2}],
}


def read(path, count):
    with lzma.open(path) as file:
        for _ in range(count):
            (dimensions,) = struct.unpack("<i", file.read(4))
            yield array("f", file.read(4 * dimensions))


def write(path, kind, rows):
    code = {"bvecs": "B", "fvecs": "f", "ivecs": "i"}[kind]
    with lzma.open(f"{path}.{kind}.xz", "wb", filters=FILTERS[kind]) as file:
        for row in rows:
            file.write(struct.pack("<i", len(row)))
            file.write(array(code, [int(x) for x in row] if code != "f" else row).tobytes())


def nearest(metric, base, queries):
    """Under cosine both sides are brought to unit length: the order is then that of L2."""
    def prepare(row):
        length = math.sqrt(math.fsum(map(mul, row, row))) if metric == "cosine" else 1.0
        return [x / length for x in row]

    base = [prepare(row) for row in base]
    squares = [math.fsum(map(mul, row, row)) for row in base]
    for query in map(prepare, queries):
        distances = (square - 2 * sum(map(mul, row, query)) for square, row in zip(squares, base))
        yield [row for _, row in nsmallest(NEAREST, zip(distances, range(len(base))))]


def main(full, to):
    for name, (metric, kind) in SETS.items():
        base = list(read(f"{full}/{name}/base.fvecs.xz", ROWS))
        queries = list(read(f"{full}/{name}/query.fvecs.xz", QUERIES))
        os.makedirs(f"{to}/{name}", exist_ok=True)
        write(f"{to}/{name}/base", kind, base)
        write(f"{to}/{name}/query", kind, queries)
        write(f"{to}/{name}/groundtruth", "ivecs", nearest(metric, base, queries))


if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else os.path.dirname(os.path.abspath(__file__)))
