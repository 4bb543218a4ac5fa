"""The other libraries, each behind the same few methods, with the settings that serve it best among equal graphs."""

import time
from typing import Protocol

import faiss
import hnswlib
import numpy as np
from numpy.typing import NDArray
from usearch.index import Index as UsearchIndex

from data import DIMENSION, Slots, Vectors

LINKS = 16
CONSTRUCTION_CANDIDATES = 200
# What is near by int8 codes is not quite what is near: so many are taken for ten, and ranked again.
RANKED_AGAIN = 20


class Rival(Protocol):
    """A library with an index of the vectors."""

    name: str

    def build(self, vectors: Vectors, threads: int) -> None: ...

    def set_effort(self, candidates: int) -> None: ...

    def prepared(self, queries: Vectors) -> NDArray:
        """Queries as the library takes them; not timed."""
        ...

    def search(self, queries: NDArray, count: int) -> NDArray:
        """Neighbours of one or many queries, on one thread."""
        ...

    def finished(self, found: NDArray, queries: Vectors, count: int) -> Slots:
        """Neighbours as they are judged; not timed."""
        ...


class Plain:
    """Takes and answers what it is judged by."""

    def prepared(self, queries: Vectors) -> NDArray:
        return queries

    def finished(self, found: NDArray, queries: Vectors, count: int) -> Slots:
        return found[:, :count].astype(np.uint32)


class Hnswlib(Plain):
    name = "hnswlib"

    def build(self, vectors: Vectors, threads: int) -> None:
        self.index = hnswlib.Index(space="ip", dim=DIMENSION)
        self.index.init_index(len(vectors), ef_construction=CONSTRUCTION_CANDIDATES, M=LINKS)
        self.index.add_items(vectors, num_threads=threads)

    def set_effort(self, candidates: int) -> None:
        self.index.set_ef(candidates)

    def search(self, queries: NDArray, count: int) -> NDArray:
        return self.index.knn_query(queries, k=count, num_threads=1)[0]


class Faiss(Plain):
    name = "faiss"

    def build(self, vectors: Vectors, threads: int) -> None:
        self.index = faiss.IndexHNSWFlat(DIMENSION, LINKS, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = CONSTRUCTION_CANDIDATES
        faiss.omp_set_num_threads(threads)
        self.index.add(vectors)
        faiss.omp_set_num_threads(1)

    def set_effort(self, candidates: int) -> None:
        self.index.hnsw.efSearch = candidates

    def search(self, queries: NDArray, count: int) -> NDArray:
        return self.index.search(queries, count)[1]

    def distances_a_query(self, queries: Vectors, count: int) -> float:
        """Vectors that a query is compared with: the only one of these libraries that counts them."""
        faiss.cvar.hnsw_stats.reset()
        self.index.search(queries, count)
        return faiss.cvar.hnsw_stats.ndis / len(queries)


class Usearch(Plain):
    def __init__(self, kind: str):
        self.kind = kind
        self.name = f"usearch_{kind}"
        self.metric = "ip"

    def build(self, vectors: Vectors, threads: int) -> None:
        options = {"connectivity": LINKS, "expansion_add": CONSTRUCTION_CANDIDATES}
        self.index = UsearchIndex(ndim=DIMENSION, metric=self.metric, dtype=self.kind, **options)
        self.index.add(np.arange(len(vectors)), self.prepared(vectors), threads=threads)

    def set_effort(self, candidates: int) -> None:
        self.index.expansion_search = candidates

    def search(self, queries: NDArray, count: int) -> NDArray:
        # A single query would be answered in another shape: as a row it goes the way of many.
        return self.index.search(queries, count, threads=1).keys


class UsearchInt8(Usearch):
    """Codes made as it wants them, each filling its 8 bits; left to itself it finds 8 of 10 with any effort.

    Even so it stays below 0.99. That its 20 nearest are ranked again by the full vectors costs it nothing here.
    """

    def __init__(self) -> None:
        super().__init__("i8")
        self.metric = "cos"

    def build(self, vectors: Vectors, threads: int) -> None:
        self.vectors = vectors
        super().build(vectors, threads)

    def prepared(self, queries: Vectors) -> NDArray:
        return np.rint(queries * (127 / np.abs(queries).max(axis=1, keepdims=True))).astype(np.int8)

    def search(self, queries: NDArray, count: int) -> NDArray:
        return super().search(queries, max(count, RANKED_AGAIN))

    def finished(self, found: NDArray, queries: Vectors, count: int) -> Slots:
        cosines = np.einsum("qcd,qd->qc", self.vectors[found.astype(np.int64)], queries)
        best = np.argsort(-cosines, axis=1)[:, :count]
        return np.take_along_axis(found, best, 1).astype(np.uint32)


def everyone() -> list[Rival]:
    return [Hnswlib(), Faiss(), Usearch("f32"), Usearch("bf16"), UsearchInt8()]


def answer(rival: Rival, queries: Vectors, count: int) -> Slots:
    return rival.finished(rival.search(rival.prepared(queries), count), queries, count)


def seconds(rival: Rival, prepared: NDArray, count: int, one_by_one: bool) -> float:
    """What the queries take, asked at once or one after the other."""
    parts = np.split(prepared, len(prepared)) if one_by_one else [prepared]
    start = time.perf_counter()
    for part in parts:
        rival.search(part, count)
    return time.perf_counter() - start
