"""Compares earmark's index with other libraries. Run by `run.sh index`; README.md says what is measured and how.

Prints a table and, as the last line, all figures as one JSON object. What takes long tells on standard error.
"""

import argparse
import datetime
import json
from dataclasses import asdict
from pathlib import Path

import alone
from data import KINDS, dataset
from growth import growth
from harness import Earmark
from limit import Limit, limit
from race import Race, race, truths
from report import machine, rounded, say, table
from rivals import Faiss, everyone

VECTORS, QUICK_VECTORS, MILLION = 100_000, 20_000, 1_000_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh index", description="compare the index with other libraries")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_VECTORS:,} vectors, within five minutes")
    parser.add_argument("--vectors", type=int, default=VECTORS, help="how many vectors (default: %(default)s)")
    parser.add_argument("--growth", action="store_true", help="also how the figures grow with the vectors")
    parser.add_argument("--million", action="store_true", help="also the start with a million vectors")
    parser.add_argument("--executable", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def of_race(result: Race, limits: Limit) -> dict[str, object]:
    figures: dict[str, object] = {}
    for kind in KINDS:
        suffix = "" if kind == "in" else f"_{kind}"
        figures[f"qps_ratio_f32_peer{suffix}"] = result.ratio(result.best_f32(kind), kind)
        figures[f"best_f32_peer{suffix}"] = result.best_f32(kind)
        figures[f"qps_ratio_usearch_i8{suffix}"] = result.ratio("usearch_i8", kind)
        figures[f"qps_{kind}"] = result.ours.points[kind].qps
        figures[f"recall_{kind}"] = result.ours.points[kind].recall
        figures[f"ef_{kind}"] = result.ours.points[kind].candidates
    figures["build_s"] = result.ours.build_s
    figures["build_ratio_hnswlib"] = result.ours.build_s / result.rivals["hnswlib"].build_s
    figures["memory_limit"] = asdict(limits)
    figures["peers"] = {name: standing.figures() for name, standing in result.rivals.items()}
    return figures


def measured(executable: Path, work: Path, count: int) -> dict[str, object]:
    figures: dict[str, object] = {"vectors": count}
    data = dataset(count, work)
    directory = work / "index"
    say(f"{count:,} vectors: making them, looking at all of them")
    truth = truths(data, alone.MANY)
    nearest = {kind: slots[:, : alone.COUNT] for kind, slots in truth.items()}
    rivals = everyone()
    with Earmark(executable, work) as earmark:
        say("building, and answering in turns")
        result = race(earmark, rivals, data, directory, nearest)
        limits = limit(executable, work, data, result, next(it for it in rivals if isinstance(it, Faiss)))
        figures |= of_race(result, limits)
        # They hold gigabytes.
        rivals.clear()
        say("exact, calibrated and filtered searches")
        figures["exact_us"] = alone.exact_us(earmark, data)
        figures |= alone.calibrated(earmark, data, truth)
        filters = alone.filters(earmark, data, work, result.ours.points)
    figures["filters"] = filters
    for name in ("10pct", "1pct", "01pct"):
        figures[f"recall_filter_{name}"] = filters[f"{name}_in"]["recall"]
        figures[f"latency_ratio_filter_{name}"] = filters[f"{name}_in"]["latency_ratio"]
    say("starting again")
    figures |= alone.start_again(executable, work, data, directory, nearest["in"])
    say("searching beside insertions")
    figures |= alone.busy(executable, work, data, directory)
    say("replacing half of the vectors")
    figures |= alone.churn(executable, work, data, directory)
    say("doing the same twice")
    figures["deterministic"] = alone.deterministic(executable, work, data)
    return figures


def standings(figures: dict[str, object]) -> str:
    """Who is how fast, and earmark's other figures below."""
    of_kinds = [f"{what}_{kind}" for kind in KINDS for what in ("qps", "ef", "recall")]
    shown = ["build_s", "bytes_per_vector", *of_kinds]
    everybody = {"earmark": figures} | figures["peers"]
    rows = [{"library": name} | {key: of[key] for key in shown} for name, of in everybody.items()]
    single = [{"figure": key, "value": value} for key, value in figures.items() if not isinstance(value, dict)]
    filters = [{"filter": name} | of for name, of in figures["filters"].items()]
    tables = [(["library", *shown], rows), (["figure", "value"], single), (list(filters[0]), filters)]
    return "\n\n".join(table(names, lines) for names, lines in tables)


def main() -> None:
    options = arguments()
    count = QUICK_VECTORS if options.quick else options.vectors
    figures = measured(options.executable, options.work, count) | {"cold_start_million_s": None}
    if options.million:
        say("a million vectors")
        figures |= alone.million(options.executable, options.work, dataset(MILLION, options.work))
    figures |= {"machine": machine(), "date": datetime.date.today().isoformat()}
    print(standings(figures))
    print("\n" + figures["memory_limit"]["words"] + "\n")
    if options.growth:
        say("growth")
        print(growth(options.executable, options.work) + "\n")
    say("done")
    print(json.dumps(rounded(figures)))


if __name__ == "__main__":
    main()
