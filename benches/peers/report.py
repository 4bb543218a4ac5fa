"""How what was measured is told: progress, tables, numbers of a sensible length."""

import json
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

START = time.monotonic()
NOTHING = "-"
Row = dict[str, float | str]


def say(what: str) -> None:
    print(f"[{time.monotonic() - START:5.0f} s] {what}", file=sys.stderr, flush=True)


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def cell(value: float | str | None) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value < 100:
            return f"{value:.3f}"
        case float() | int():
            return f"{value:,.0f}"
        case _:
            return str(value)


def table(names: list[str], rows: list[Row]) -> str:
    """In Markdown."""
    lines = [names, ["---"] * len(names), *([cell(row.get(name)) for name in names] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def single(figures: dict[str, object]) -> str:
    """Those that are one number, or would be if there were one."""
    rows = [
        {"figure": name, "value": NOTHING if value is None else value}
        for name, value in figures.items()
        if value is None or isinstance(value, float)
    ]
    return table(["figure", "value"], rows)


def rounded(value: object) -> object:
    match value:
        case float():
            return float(f"{value:.5g}")
        case dict():
            return {key: rounded(of) for key, of in value.items()}
        case _:
            return value


def conclude(figures: dict[str, object]) -> NoReturn:
    """Says what is `missing` and what is `wrong`, prints all as one line, and ends."""
    for name, reason in figures["missing"].items():
        print(f"{name} is left out: {reason}\n")
    wrong = figures["wrong"]
    say("done" if not wrong else "failed: " + "; ".join(wrong))
    print(json.dumps(rounded(figures)))
    sys.exit(1 if wrong else 0)
