"""Everybody on the same vectors: what each takes to build, and how many queries it answers at the same recall."""

import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from data import KINDS, Dataset, Slots, nearest, recall
from harness import Earmark, candidates, own_bytes
from rivals import Rival, answer, seconds

THREADS = 2
TARGET_RECALL = 0.99
COUNT = 10
EFFORTS = (16, 20, 24, 28, 32, 36, 40, 44, 48, 56, 64, 72, 80, 96, 112, 128, 160, 192, 256, 384, 512, 768, 1024)
ROUNDS = 7
WARM_UP = 50


@dataclass
class Point:
    """The smallest effort that reaches the recall, or the largest there is, and the queries a second at it."""

    candidates: int
    recall: float
    qps: float = 0.0


@dataclass
class Standing:
    """What has been measured of one library."""

    build_s: float
    bytes_per_vector: float
    points: dict[str, Point] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        figures: dict[str, float] = {"build_s": self.build_s, "bytes_per_vector": self.bytes_per_vector}
        for kind, point in self.points.items():
            figures |= {f"qps_{kind}": point.qps, f"ef_{kind}": point.candidates, f"recall_{kind}": point.recall}
        return figures


@dataclass
class Race:
    """What has been measured of all of them."""

    ours: Standing
    rivals: dict[str, Standing]

    def ratio(self, name: str, kind: str) -> float:
        return self.ours.points[kind].qps / self.rivals[name].points[kind].qps

    def best_f32(self, kind: str) -> str:
        return max(("hnswlib", "faiss"), key=lambda name: self.rivals[name].points[kind].qps)


def opening(data: Dataset, directory: Path, threads: int = THREADS) -> dict[str, object]:
    """What tells earmark which index to open, without what it is made of."""
    return {"directory": directory, "threads": threads, "target_recall": TARGET_RECALL, "count": data.count}


def build(earmark: Earmark, data: Dataset, directory: Path) -> float:
    """An index of all vectors and its snapshot; answers the seconds until nothing more was to be done."""
    shutil.rmtree(directory, ignore_errors=True)
    opened = earmark.ask("open", vectors=data.vectors_path, **opening(data, directory))
    maintained = earmark.ask("maintain")
    earmark.ask("snapshot")
    return opened["seconds"] + maintained["seconds"]


def build_rival(rival: Rival, data: Dataset) -> Standing:
    vectors = data.vectors
    before = own_bytes()
    start = time.perf_counter()
    rival.build(vectors, THREADS)
    spent = time.perf_counter() - start
    return Standing(spent, (own_bytes() - before) / data.count)


def least_effort(recall_at: Callable[[int], float]) -> Point:
    for effort in EFFORTS:
        point = Point(effort, recall_at(effort))
        if point.recall >= TARGET_RECALL:
            break
    return point


def rival_point(rival: Rival, data: Dataset, kind: str, truth: Slots) -> Point:
    def recall_at(effort: int) -> float:
        rival.set_effort(effort)
        return recall(answer(rival, data.queries[kind], COUNT), truth)

    return least_effort(recall_at)


def our_point(earmark: Earmark, queries: Path, truth: Slots) -> Point:
    return least_effort(lambda effort: recall(earmark.search(queries, candidates(effort))[0], truth))


def truths(data: Dataset, count: int) -> dict[str, Slots]:
    return {kind: nearest(data.vectors, data.queries[kind], count) for kind in KINDS}


def race(earmark: Earmark, rivals: list[Rival], data: Dataset, directory: Path, truth: dict[str, Slots]) -> Race:
    """Builds all of them, then has them answer the same queries in turns, so that whatever else the machine does hits
    all alike. A library that answers faster when asked one by one, or all at once, is taken at its faster way.
    """
    standings = {rival.name: build_rival(rival, data) for rival in rivals}
    build_s = build(earmark, data, directory)
    ours = Standing(build_s, earmark.ask("stats")["memory_bytes"] / data.count)
    for kind in KINDS:
        for rival in rivals:
            standings[rival.name].points[kind] = rival_point(rival, data, kind, truth[kind])
        ours.points[kind] = our_point(earmark, data.queries_path(kind), truth[kind])

    for kind in KINDS:
        times: dict[tuple[str, bool], list[float]] = {}
        prepared = {rival.name: rival.prepared(data.queries[kind]) for rival in rivals}
        for _ in range(ROUNDS):
            for rival in rivals:
                rival.set_effort(standings[rival.name].points[kind].candidates)
                for one_by_one in (False, True):
                    seconds(rival, prepared[rival.name][:WARM_UP], COUNT, one_by_one)
                    spent = seconds(rival, prepared[rival.name], COUNT, one_by_one)
                    times.setdefault((rival.name, one_by_one), []).append(spent)
            effort = candidates(ours.points[kind].candidates)
            spent = earmark.seconds(data.queries_path(kind), effort, WARM_UP)
            times.setdefault(("earmark", True), []).append(spent)
        asked = len(data.queries[kind])
        for name, standing in {**standings, "earmark": ours}.items():
            medians = [statistics.median(spent) for (whose, _), spent in times.items() if whose == name]
            standing.points[kind].qps = asked / min(medians)
    return Race(ours, standings)
