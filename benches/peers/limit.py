"""How much of a query is memory: the limit that reading codes sets, and what dominates the gap to it."""

from dataclasses import dataclass
from pathlib import Path

from data import Dataset
from harness import Earmark
from race import COUNT, Race
from rivals import Faiss

# What a search for ten ranks by their values in half precision, of two kibibytes each.
RANKED = 25
ROWS_A_VALUE = 2


@dataclass
class Limit:
    """Rows are of 1,024 codes, as many as there are vectors."""

    sequential_rows_per_s: float
    random_rows_per_s: float
    distances_a_query: float
    qps_bound: float
    words: str


def limit(executable: Path, work: Path, data: Dataset, race: Race, faiss: Faiss) -> Limit:
    """The index does not count its comparisons: faiss's are taken, at as many candidates as the index needs."""
    with Earmark(executable, work) as earmark:
        rows = earmark.ask("bandwidth", rows=data.count)
    point = race.ours.points["in"]
    faiss.set_effort(point.candidates)
    distances = faiss.distances_a_query(data.queries["in"], COUNT)
    codes_us = distances * rows["random_s"] * 1e6
    values_us = RANKED * ROWS_A_VALUE * rows["random_s"] * 1e6
    query_us = 1e6 / point.qps
    rest_us = query_us - codes_us - values_us
    begin = f"{data.count:,} vectors: a query takes {query_us:.0f} µs; reading {distances:.0f} codes at random"
    if rest_us < 0.0:
        words = (
            f"{begin}, none of them in a cache and none asked for ahead, would take {codes_us:.0f} µs. What dominates: "
            "reading codes, of which caches and asking ahead hide a part."
        )
    else:
        rest = "comparing, keeping the candidates in order, following links"
        largest = "reading codes" if codes_us > rest_us else rest
        words = (
            f"{begin} takes {codes_us:.0f} µs of that, ranking about {RANKED} candidates by their values "
            f"{values_us:.0f} µs, all else {rest_us:.0f} µs. What dominates: {largest}."
        )
    return Limit(1 / rows["sequential_s"], 1 / rows["random_s"], distances, 1e6 / codes_us, words)
