"""What only earmark is asked: filters, changes, searches beside insertions, starting again, and what it takes."""

import statistics
from pathlib import Path

import numpy as np

from data import KINDS, Dataset, Slots, Vectors, nearest, read, recall, write
from harness import Earmark, candidates
from race import COUNT, WARM_UP, Point, opening, our_point

SHARES = {"50pct": 0.5, "30pct": 0.3, "10pct": 0.1, "3pct": 0.03, "1pct": 0.01, "01pct": 0.001}
ROUNDS = 5
BUSY_S = 10.0
EXACT_QUERIES = 100
# Enough for a graph of several pieces; one thread needs a while for it.
SAME_TWICE = 10_000
MANY = 100
COLD_STARTS = 3


def exact_us(earmark: Earmark, data: Dataset) -> float:
    path = data.queries_path("in")
    times = [earmark.seconds(path, "exact", 1, limit=EXACT_QUERIES) for _ in range(ROUNDS)]
    return statistics.median(times) / EXACT_QUERIES * 1e6


def calibrated(earmark: Earmark, data: Dataset, truth: dict[str, Slots]) -> dict[str, float]:
    """The recall of searches that are left to choose their effort; `truth` has the hundred nearest."""
    figures = {}
    for kind in KINDS:
        for count, name in ((COUNT, f"recall_calibrated_{kind}"), (MANY, f"recall_calibrated_{kind}_at_{MANY}")):
            found, spent = earmark.search(data.queries_path(kind), "calibrated", count)
            figures[name] = recall(found, truth[kind][:, :count])
            figures[name.replace("recall", "us")] = spent / len(found) * 1e6
    return figures


def filters(earmark: Earmark, data: Dataset, work: Path, points: dict[str, Point]) -> dict[str, dict[str, float]]:
    """Searches among random vectors, as the daemon does them, against searches among all with no more effort than
    they need.
    """
    figures = {}
    for number, (name, share) in enumerate(SHARES.items()):
        random = data.random(100 + number)
        kept = np.sort(random.choice(data.count, max(COUNT, int(share * data.count)), replace=False)).astype("<u4")
        among = write(work / f"among-{name}.u32", kept)
        for kind in KINDS:
            path = data.queries_path(kind)
            truth = kept[nearest(data.vectors[kept], data.queries[kind], COUNT)]
            found, _ = earmark.search(path, "calibrated", among=among)
            filtered, unfiltered = [], []
            for _ in range(ROUNDS):
                unfiltered.append(earmark.seconds(path, candidates(points[kind].candidates), WARM_UP))
                filtered.append(earmark.seconds(path, "calibrated", WARM_UP, among))
            spent = statistics.median(filtered)
            figures[f"{name}_{kind}"] = {
                "recall": recall(found, truth),
                "us": spent / len(found) * 1e6,
                "latency_ratio": spent / statistics.median(unfiltered),
            }
    return figures


def start_again(executable: Path, work: Path, data: Dataset, directory: Path, truth: Slots) -> dict[str, object]:
    """A new process: how long until it answers, and what it keeps in memory once everything has been looked at."""
    times = []
    for _ in range(COLD_STARTS):
        with Earmark(executable, work) as earmark:
            earmark.ask("queries", path=data.queries_path("in"))
            before = earmark.resident(directory).own
            opened = earmark.ask(
                "open", vectors=data.vectors_path, queries=data.queries_path("in"), **opening(data, directory)
            )
            times.append(opened["seconds"])
            correct = recall(np.array([opened["found"]]), truth[:1]) >= 0.9
            earmark.search(data.queries_path("in"), "calibrated")
            earmark.seconds(data.queries_path("in"), "exact", 0, limit=EXACT_QUERIES)
            memory, stats = earmark.resident(directory), earmark.ask("stats")
    own = memory.own - before + memory.mapped
    return {
        "cold_start_s": statistics.median(times),
        "cold_start_correct": correct,
        "cold_start_refused": opened["refused"],
        "bytes_per_vector": own / data.count,
        "bytes_per_vector_by_its_own_account": stats["memory_bytes"] / data.count,
        "bytes_per_vector_full_precision_mapped": memory.full_precision / data.count,
    }


def busy(executable: Path, work: Path, data: Dataset, directory: Path) -> dict[str, float]:
    with Earmark(executable, work) as earmark:
        earmark.ask("open", vectors=data.vectors_path, **opening(data, directory))
        measured = earmark.ask(
            "busy",
            queries=data.queries_path("in"),
            effort="calibrated",
            vectors=data.later_path,
            count=data.later,
            first_slot=data.count,
            seconds=BUSY_S,
        )
    idle, beside = measured["idle"], measured["busy"]
    return {
        "idle_p50_us": idle["p50_us"],
        "idle_p99_us": idle["p99_us"],
        "insert_p50_us": beside["p50_us"],
        "insert_p99_us": beside["p99_us"],
        "insert_longest_us": beside["longest_us"],
        "insert_p99_ratio": beside["p99_us"] / idle["p99_us"],
        "inserts_per_s": measured["inserts_per_s"],
    }


def churn(executable: Path, work: Path, data: Dataset, directory: Path) -> dict[str, float]:
    """Half of the vectors replaced by others, against an index that never had anything else."""
    removed = np.zeros(data.count, dtype=bool)
    removed[data.random(7).choice(data.count, data.later, replace=False)] = True
    gone = write(work / "removed.u32", np.flatnonzero(removed).astype("<u4"))
    kept = np.flatnonzero(~removed)
    slots = np.concatenate([kept, np.arange(data.count, data.count + data.later)]).astype("<u4")
    vectors: Vectors = np.concatenate([data.vectors[kept], read(data.later_path)])
    vectors_path, slots_path = write(work / "churned.f32", vectors), write(work / "churned.u32", slots)
    with Earmark(executable, work) as changed, Earmark(executable, work) as fresh:
        changed.ask("open", vectors=data.vectors_path, **opening(data, directory))
        changed.ask("remove", slots=gone)
        changed.ask("insert", vectors=data.later_path, count=data.later, first_slot=data.count)
        maintained = changed.ask("maintain")["seconds"]
        empty = work / "churned"
        fresh.ask("open", vectors=vectors_path, slots=slots_path, **opening(data, empty))
        fresh.ask("maintain")
        figures: dict[str, float] = {"churn_maintain_s": maintained}
        for kind in KINDS:
            path = data.queries_path(kind)
            truth = slots[nearest(vectors, data.queries[kind], COUNT)]
            point = our_point(fresh, path, truth)
            effort = candidates(point.candidates)
            times: dict[str, list[float]] = {"changed": [], "fresh": []}
            for _ in range(ROUNDS):
                times["changed"].append(changed.seconds(path, effort, WARM_UP))
                times["fresh"].append(fresh.seconds(path, effort, WARM_UP))
            suffix = "" if kind == "in" else f"_{kind}"
            figures[f"churn_recall_ratio{suffix}"] = recall(changed.search(path, effort)[0], truth) / point.recall
            medians = {whose: statistics.median(spent) for whose, spent in times.items()}
            figures[f"churn_qps_ratio{suffix}"] = medians["fresh"] / medians["changed"]
    return figures


def deterministic(executable: Path, work: Path, data: Dataset) -> bool:
    """Whether the same insertions on one thread give the same answers."""
    answers = []
    count = min(SAME_TWICE, data.count)
    for number in range(2):
        with Earmark(executable, work) as earmark:
            directory = work / f"same-{number}"
            earmark.ask("open", vectors=data.vectors_path, **opening(data, directory, threads=1) | {"count": 0})
            earmark.ask("insert", vectors=data.vectors_path, count=count, first_slot=0)
            earmark.ask("maintain")
            answers.append([earmark.search(data.queries_path(kind), candidates(32))[0] for kind in KINDS])
    return all(np.array_equal(one, other) for one, other in zip(*answers, strict=True))


def million(executable: Path, work: Path, data: Dataset) -> dict[str, object]:
    """The start alone, of a library of a million."""
    directory = work / "million"
    with Earmark(executable, work) as earmark:
        opened = earmark.ask("open", vectors=data.vectors_path, **opening(data, directory))
        maintained = earmark.ask("maintain")
        earmark.ask("snapshot")
    started = start_again(executable, work, data, directory, nearest_in_file(data))
    return {
        "cold_start_million_s": started["cold_start_s"],
        "build_million_s": opened["seconds"] + maintained["seconds"],
        "bytes_per_vector_million": started["bytes_per_vector"],
    }


def nearest_in_file(data: Dataset) -> Slots:
    """The nearest of the first query."""
    return nearest(np.memmap(data.vectors_path, np.float32).reshape(data.count, -1), data.queries["in"][:1], COUNT)
