"""How the figures grow with the number of vectors: a table, its CSV, and a plot."""

import csv
import gc
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from alone import start_again
from data import KINDS, dataset
from harness import Earmark
from limit import limit
from race import COUNT, race, truths
from report import Row, table
from rivals import Faiss, Hnswlib, UsearchInt8

SIZES = (10_000, 30_000, 100_000, 300_000)
EARMARK = "earmark"


def measured(executable: Path, work: Path, count: int) -> tuple[list[Row], str]:
    """A row for each library and one for the limit, and what dominates the gap."""
    data = dataset(count, work)
    truth = truths(data, COUNT)
    faiss = Faiss()
    directory = work / "growth"
    with Earmark(executable, work) as earmark:
        result = race(earmark, [Hnswlib(), faiss, UsearchInt8()], data, directory, truth)
    started = start_again(executable, work, data, directory, truth["in"])
    memory = limit(executable, work, data, result, faiss)
    ours = result.ours.figures() | {"bytes_per_vector": started["bytes_per_vector"]}
    standings = {EARMARK: ours} | {name: standing.figures() for name, standing in result.rivals.items()}
    rows: list[Row] = [{"vectors": count, "library": name} | figures for name, figures in standings.items()]
    rows[0]["cold_start_s"] = started["cold_start_s"]
    rows.append({"vectors": count, "library": "uncached reads", "qps_in": memory.qps_bound})
    return rows, memory.words


def growth(executable: Path, work: Path) -> str:
    """Measures every size, writes `growth.csv`, `growth.md` and `growth.png`, and answers the table."""
    rows: list[Row] = []
    words: list[str] = []
    for count in SIZES:
        more, sentence = measured(executable, work, count)
        rows += more
        words.append(sentence)
        # The indexes of the other libraries hold gigabytes.
        gc.collect()
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (work / "growth.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    text = table(names, rows) + "\n\n" + "\n".join(words)
    (work / "growth.md").write_text(text + "\n")
    plot(rows, work / "growth.png")
    return text


def plot(rows: list[Row], path: Path) -> None:
    panels = {f"qps_{kind}": f"queries a second ({kind})" for kind in KINDS} | {
        "build_s": "build, seconds",
        "bytes_per_vector": "bytes a vector",
    }
    figure, axes = plt.subplots(1, len(panels), figsize=(4.5 * len(panels), 4))
    for axis, (key, title) in zip(axes, panels.items(), strict=True):
        for library in dict.fromkeys(row["library"] for row in rows):
            points = [(row["vectors"], row[key]) for row in rows if row["library"] == library and key in row]
            if points:
                axis.plot(*zip(*points, strict=True), marker="o", label=library)
        axis.set(title=title, xlabel="vectors", xscale="log", yscale="log")
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
