"""earmark on an NVIDIA GPU beside PyTorch on the same one. Run by `run.sh gpu`; README.md says what and how.

In one go: whether its vectors are those of the processor, how fast it is, and how busy it keeps the GPU while files
come in. Prints tables and, as the last line, all figures as one JSON object. Ends with an error if vectors disagree, or
if earmark has no GPU. With `--dry-run` all of it happens on the processor, with little of everything, which means
nothing.
"""

import argparse
import datetime
import statistics
import time
from pathlib import Path

import torch

import weights
from busy import busy
from contest import Agreement, Case, Contest, agreement, flops, key, ours, revision
from embedders import Embedder, Harness, Torch, choice
from inputs import Inputs, everything
from report import NOTHING, Row, conclude, machine, say, single, table

BATCHES, DRY_BATCHES = (1, 8, 64), (1, 2)
ROUNDS, DRY_ROUNDS = 20, 1
REPEATS = 3
COMPARED, DRY_COMPARED = 16, 2
FILES, DRY_FILES = 300, 3
# Rows and columns of the matrices whose product shows what the card can do at most.
PEAK, DRY_PEAK = 8192, 256
OURS = {"earmark f32": "f32", "earmark half": "half"}
COMPILED = "torch half, compiled"
RIVALS = ("torch f32", "torch half", COMPILED)
PROCESSOR = "earmark f32, processor"
NOT_MEASURED = "DRY RUN on the processor: nothing was measured on a GPU, and no figure means anything"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh gpu", description="compare earmark on a GPU with PyTorch")
    parser.add_argument("--dry-run", action="store_true", help="on the processor, only to try this script")
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile, which takes minutes")
    parser.add_argument("--executable", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def rivals(checkpoint: Path, device: str, compiled: bool) -> list[Torch]:
    # The processor's half precision is the other one.
    half = torch.bfloat16 if device == "cpu" else torch.float16
    there = [
        Torch("torch f32", checkpoint, device, torch.float32),
        Torch("torch half", checkpoint, device, half),
    ]
    return [*there, Torch(COMPILED, checkpoint, device, half, compiled=True)] if compiled else there


def working(embedders: list[Embedder], cases: list[Case]) -> tuple[list[Embedder], dict[str, str]]:
    """Those that can do everything that is asked for, and why the others cannot. Compiling happens here."""
    there, missing = [], {}
    for embedder in embedders:
        say(f"warming up {embedder.name}")
        try:
            for case in cases:
                embedder.vectors(case.inputs, case.batch)
            there.append(embedder)
        except Exception as error:  # A compiler fails in any way it likes.
            missing[embedder.name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return there, missing


def peak_tflops(device: str, size: int) -> float:
    """What a product of square matrices of half precision reaches."""
    half = torch.bfloat16 if device == "cpu" else torch.float16
    left, right = (torch.randn(size, size, device=device).to(half) for _ in range(2))

    def seconds() -> float:
        begin = time.perf_counter()
        # The answer is waited for.
        (left @ right)[0, 0].item()
        return time.perf_counter() - begin

    seconds()
    return 2e-12 * size**3 / statistics.median(seconds() for _ in range(ROUNDS))


def throughput(contest: Contest, checkpoint: Path, peak: float) -> dict[str, dict[str, float | None]]:
    """For each case what earmark does a second, what share of the card's peak that is, and how many times as fast as
    PyTorch."""
    model = weights.load(checkpoint)
    of_media = {case.inputs.kind: case.inputs for case in contest.cases if case.inputs.kind != "text"}
    giga = {kind: flops(model, kind, inputs) * 1e-9 for kind, inputs in of_media.items()}
    figures = {}
    for case in contest.cases:
        of_case: dict[str, float | None] = {}
        for who, precision in OURS.items():
            ms = contest.ms(who, case)
            of_case[f"{precision}_per_s"] = 1e3 / ms if ms else None
            if case.inputs.kind in giga:
                of_case[f"{precision}_tflops"] = giga[case.inputs.kind] / ms if ms else None
                of_case[f"{precision}_share_of_peak"] = giga[case.inputs.kind] / ms / peak if ms else None
            of_case |= {f"{precision}_vs_{key(rival)}": contest.ratio(who, rival, case) for rival in RIVALS}
        figures[f"{key(case.inputs.name)}_batch{case.batch}"] = of_case
    return figures


def fast_table(fast: dict[str, dict[str, float | None]]) -> str:
    names = list(dict.fromkeys(name for of_case in fast.values() for name in of_case))
    rows: list[Row] = [
        {"earmark": case} | {name: NOTHING if of.get(name) is None else of[name] for name in names}
        for case, of in fast.items()
    ]
    return table(["earmark", *names], rows)


def compared(
    options: argparse.Namespace, harness: Harness, checkpoint: Path, inputs: list[Inputs]
) -> tuple[Contest, Agreement, dict[str, str]]:
    dry = options.dry_run
    device, batches = ("cpu", DRY_BATCHES) if dry else ("cuda:0", BATCHES)
    cases = [Case(it, batch, 1 if dry else REPEATS) for it in inputs for batch in batches]
    mine, missing = ours(harness, checkpoint, device, OURS)
    able, unable = working([*mine, *rivals(checkpoint, device, not options.no_compile)], cases)
    (processor,), _ = ours(harness, checkpoint, "cpu", {PROCESSOR: "f32"})
    agreed = agreement(able, processor, inputs, DRY_COMPARED if dry else COMPARED)
    processor.close()
    say("embedding in turns")
    contest = Contest(cases, able, list(missing | unable))
    contest.run(DRY_ROUNDS if dry else ROUNDS)
    for embedder in mine:
        embedder.close()
    return contest, agreed, missing | unable


def main() -> None:
    options = arguments()
    dry, work = options.dry_run, options.work
    device = "cpu" if dry else "cuda:0"
    harness = Harness(options.executable, work, torch.get_num_threads())
    # Otherwise PyTorch takes the first algorithm that comes to its mind.
    torch.backends.cudnn.benchmark = True
    say("making weights and inputs, importing")
    checkpoint = weights.checkpoint(work)
    inputs = list(everything(max(DRY_BATCHES if dry else BATCHES), work).values())
    contest, agreed, missing = compared(options, harness, checkpoint, inputs)
    say("files to a library")
    precision = "f32" if "earmark half" in missing else "half"
    on_card = choice(harness.installed(checkpoint, precision), device)
    ingest = busy(harness, on_card, DRY_FILES if dry else FILES, not dry)

    wrong = agreed.wrong(OURS)
    if "earmark f32" in missing:
        wrong.append(f"earmark f32: {missing['earmark f32']}")
    card = None if dry else torch.cuda.get_device_name(0)
    peak = peak_tflops(device, DRY_PEAK if dry else PEAK)
    figures: dict[str, object] = {"device": device, "dry_run": dry, "card": card, "peak_half_tflops": peak}
    fast = throughput(contest, checkpoint, peak)
    figures |= {f"{name}_{case}": value for case, of in fast.items() for name, value in of.items()}
    figures |= agreed.figures() | ingest.figures() | {"ingest_precision": precision}
    figures |= {"ms": contest.figures(), "missing": missing, "wrong": wrong, "machine": machine()}
    versions = {"earmark": revision(), "torch": torch.__version__, "cuda": torch.version.cuda}
    figures |= {"date": datetime.date.today().isoformat(), "versions": versions}
    print(f"{NOT_MEASURED if dry else card}\n")
    for shown in (table(*contest.table()), fast_table(fast), table(*agreed.table()), single(ingest.figures())):
        print(shown + "\n")
    print(f"{ingest.words()}\n")
    conclude(figures)


if __name__ == "__main__":
    main()
