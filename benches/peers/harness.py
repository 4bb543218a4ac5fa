"""The process that has earmark's index, and what the system says about it."""

import ctypes
import gc
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import Slots, read_slots
from process import Process

Effort = str | dict[str, int]


def candidates(count: int) -> Effort:
    return {"candidates": count}


class Earmark(Process):
    """A process of its own: what it keeps in memory is the index and no more."""

    def __init__(self, executable: Path, work: Path):
        self.found = work / "found.u32"
        super().__init__(executable, "index")

    def search(
        self, queries: Path, effort: Effort, count: int = 10, among: Path | None = None
    ) -> tuple[Slots, float]:
        """What is found, and the seconds it took."""
        optional = {"among": among} if among else {}
        asked = self.ask(
            "search", queries=queries, count=count, effort=effort, warm_up=0, found=self.found, **optional
        )
        return read_slots(self.found, count), asked["seconds"]

    def seconds(self, queries: Path, effort: Effort, warm_up: int, among: Path | None = None, **fields: Any) -> float:
        """What ten neighbours of each query take."""
        optional = fields | ({"among": among} if among else {})
        return self.ask("search", queries=queries, count=10, effort=effort, warm_up=warm_up, **optional)["seconds"]

    def resident(self, directory: Path) -> "Resident":
        return resident(self.process.pid, directory)


@dataclass
class Resident:
    """Bytes of memory that a process takes: its own, and the index's mapped files, full-precision vectors apart."""

    own: int = 0
    full_precision: int = 0
    mapped: int = 0


def resident(pid: int | str, directory: Path) -> Resident:
    """What of `directory` is mapped counts. In `rows-…` only the full-precision vectors are read by way of the map."""
    memory, path = Resident(), ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            path = " ".join(line.split(maxsplit=5)[5:])
        elif match := re.match(r"(Rss|Anonymous): +(\d+) kB", line):
            amount = int(match[2]) * 1024
            if match[1] == "Anonymous":
                memory.own += amount
            elif Path(path).name.startswith("rows-"):
                memory.full_precision += amount
            elif path.startswith(f"{directory.resolve()}/"):
                memory.mapped += amount
    return memory


def own_bytes() -> int:
    """What this process has, without what it has freed and not given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return resident("self", Path("nowhere")).own
