"""The vectors that everybody is measured on, the queries, and what an exact search finds.

Unit vectors in clusters, as a library has them in which many files sound alike, and two kinds of queries: drawn as the
vectors are, and all of them shifted the same way, as texts lie beside sounds in one space. Everything follows from
fixed seeds and is kept in files, for the other process reads them too: little-endian, nothing but the values.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DIMENSION = 1024
VECTORS_A_CLUSTER = 200
SPREAD = 0.8
SHIFT = 1.5
QUERIES = 1000
KINDS = ("in", "shifted")
# Bounds what is held at once while vectors are made or compared.
BLOCK = 8192

Vectors = NDArray[np.float32]
Slots = NDArray[np.uint32]


def unit(values: NDArray) -> Vectors:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def directions(random: np.random.Generator, count: int) -> Vectors:
    return unit(random.standard_normal((count, DIMENSION), dtype=np.float32))


def around(random: np.random.Generator, centres: Vectors, count: int) -> Vectors:
    """Vectors of random clusters."""
    picked = centres[random.integers(len(centres), size=count)]
    return unit(picked + np.float32(SPREAD) * directions(random, count))


@dataclass(frozen=True)
class Dataset:
    """`count` vectors, half as many again that come later, and queries; made when they are first asked for."""

    count: int
    folder: Path

    @property
    def later(self) -> int:
        return self.count // 2

    @cached_property
    def centres(self) -> Vectors:
        return directions(self.random(1), max(1, self.count // VECTORS_A_CLUSTER))

    @cached_property
    def vectors_path(self) -> Path:
        return self.made("vectors", 2, self.count)

    @cached_property
    def later_path(self) -> Path:
        return self.made("later", 3, self.later)

    def queries_path(self, kind: str) -> Path:
        path = self.folder / f"queries-{kind}.f32"
        if not path.exists():
            queries = around(self.random(4), self.centres, QUERIES)
            if kind == "shifted":
                queries = unit(queries + np.float32(SHIFT) * directions(self.random(5), 1))
            write(path, queries)
        return path

    @cached_property
    def vectors(self) -> Vectors:
        return read(self.vectors_path)

    @cached_property
    def queries(self) -> dict[str, Vectors]:
        return {kind: read(self.queries_path(kind)) for kind in KINDS}

    @staticmethod
    def random(seed: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(seed))

    def made(self, name: str, seed: int, count: int) -> Path:
        path = self.folder / f"{name}.f32"
        if not path.exists():
            random = self.random(seed)
            begins = range(0, count, BLOCK)
            write(path, *(around(random, self.centres, min(BLOCK, count - begin)) for begin in begins))
        return path


def dataset(count: int, work: Path) -> Dataset:
    folder = work / "data" / f"{count}x{DIMENSION}-spread{SPREAD}-shift{SHIFT}"
    folder.mkdir(parents=True, exist_ok=True)
    return Dataset(count, folder)


def read(path: Path) -> Vectors:
    return np.fromfile(path, dtype="<f4").reshape(-1, DIMENSION)


def read_slots(path: Path, width: int) -> Slots:
    return np.fromfile(path, dtype="<u4").reshape(-1, width)


def write(path: Path, *parts: NDArray) -> Path:
    """Whole or not at all, for what is there is taken to be whole."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        for part in parts:
            part.tofile(file)
    unfinished.rename(path)
    return path


def nearest(vectors: Vectors, queries: Vectors, count: int) -> Slots:
    """Rows of the `count` nearest vectors of each query, best first, by looking at all of them."""
    best = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.uint32)
    for begin in range(0, len(vectors), BLOCK):
        block = vectors[begin : begin + BLOCK]
        best = np.hstack([best, queries @ block.T])
        numbers = np.arange(begin, begin + len(block), dtype=np.uint32)
        rows = np.hstack([rows, np.broadcast_to(numbers, (len(queries), len(block)))])
        if best.shape[1] > count:
            kept = np.argpartition(-best, count, axis=1)[:, :count]
            best, rows = np.take_along_axis(best, kept, 1), np.take_along_axis(rows, kept, 1)
    order = np.argsort(-best, axis=1)
    return np.take_along_axis(rows, order, 1)


def recall(found: NDArray, truth: NDArray) -> float:
    """The share of the true neighbours that was found."""
    hits = sum(len(np.intersect1d(mine, right)) for mine, right in zip(found, truth, strict=True))
    return hits / truth.size
