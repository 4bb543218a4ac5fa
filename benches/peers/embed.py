"""Compares earmark's embedding with PyTorch and ONNX Runtime. Run by `run.sh embed`; README.md says what and how.

Prints tables and, as the last line, all figures as one JSON object. What takes long tells on standard error. Ends with
an error if vectors disagree.
"""

import argparse
import datetime
import os
from pathlib import Path

import onnxruntime
import torch

import onnx_rival
import weights
from contest import Agreement, Case, Contest, agreement, flops, ours, revision
from embedders import Harness, Torch, choice, timed
from inputs import everything
from report import conclude, machine, say, single, table

ROUNDS, QUICK_ROUNDS = 20, 5
BATCH = 8
# The more, the less an input takes.
REPEATS = {"audio": 2, "image": 3, "text": 5}
PEAK_SIZES = (1024, 2048)
PEAK_REPEATS = 3
VECTORS = 100_000
QUERIES, QUICK_QUERIES = 2_000, 500
OURS = {"earmark f32": "f32", "earmark half": "half"}
PUBLISHED = "torch f32, as published"
# Who is faster than whom, and by how much; with one input at a time, and with several together.
RATIOS = {
    "audio_f32_vs_torch_eager": ("earmark f32", "torch f32", "audio"),
    "audio_f32_vs_torch_published": ("earmark f32", PUBLISHED, "audio"),
    "audio_f32_vs_ort": ("earmark f32", "ort f32", "audio"),
    "audio_f32_vs_ort_int8": ("earmark f32", "ort int8", "audio"),
    "audio_bf16_vs_torch_bf16": ("earmark half", "torch bf16", "audio"),
    "audio_bf16_vs_torch_f32": ("earmark half", "torch f32", "audio"),
    "audio_bf16_vs_torch_published": ("earmark half", PUBLISHED, "audio"),
    "audio_bf16_vs_ort": ("earmark half", "ort f32", "audio"),
    "audio_bf16_vs_ort_int8": ("earmark half", "ort int8", "audio"),
    "image_f32_vs_torch_eager": ("earmark f32", "torch f32", "image"),
    "image_f32_vs_ort": ("earmark f32", "ort f32", "image"),
    "image_f32_vs_ort_int8": ("earmark f32", "ort int8", "image"),
    "image_bf16_vs_torch_bf16": ("earmark half", "torch bf16", "image"),
    "image_bf16_vs_torch_f32": ("earmark half", "torch f32", "image"),
    "image_bf16_vs_ort": ("earmark half", "ort f32", "image"),
    "image_bf16_vs_ort_int8": ("earmark half", "ort int8", "image"),
    "text_vs_torch": ("earmark f32", "torch f32", "text"),
    "text_vs_torch_cut": ("earmark f32", "torch f32, cut", "text"),
    "text_of_77_vs_torch": ("earmark f32", "torch f32", "text of 77"),
    "text_bf16_vs_torch_bf16": ("earmark half", "torch bf16", "text"),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh embed", description="compare the embedding with other libraries")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, within five minutes")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of everybody (default: %(default)s)")
    parser.add_argument("--executable", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def rivals(checkpoint: Path, work: Path, threads: int) -> list[Torch | onnx_rival.Onnx]:
    plain = Torch("torch f32", checkpoint, "cpu", torch.float32)
    exported = onnx_rival.exported(checkpoint, work)
    return [
        plain,
        Torch("torch bf16", checkpoint, "cpu", torch.bfloat16),
        plain.cutting("torch f32, cut"),
        plain.as_published(PUBLISHED),
        onnx_rival.Onnx("ort f32", exported, threads),
        onnx_rival.Onnx("ort int8", onnx_rival.quantised(exported), threads),
    ]


class Peak:
    """Floating point operations a second, in billions, of square matrices in f32: everybody's best."""

    def __init__(self, harness: Harness):
        self.best = dict.fromkeys(("torch", "ort", "earmark"), 0.0)
        self.process = harness.start()
        self.sessions = {size: onnx_rival.gemm_session(size, harness.threads) for size in PEAK_SIZES}
        self.matrices = {size: torch.rand(size, size) for size in PEAK_SIZES}

    def measure(self) -> None:
        """Often, for other work on the machine must leave it alone once."""
        for size, session in self.sessions.items():
            matrix = self.matrices[size]
            given = {"x": matrix.numpy()}
            for _ in range(PEAK_REPEATS):
                spent = {"torch": timed(lambda: matrix @ matrix), "ort": timed(lambda: session.run(None, given))}
                reached = {who: 2e-9 * size**3 / seconds for who, seconds in spent.items()}
                reached["earmark"] = self.process.ask("gemm", size=size, rounds=1)["gflops"]
                self.best = {who: max(best, reached[who]) for who, best in self.best.items()}

    def close(self) -> None:
        self.process.close()


def hits(harness: Harness, checkpoint: Path, precision: str, queries: int) -> dict[str, float]:
    """From words to ten hits, as a client has them."""
    directory = harness.work / f"library-{checkpoint.stem}-{precision}-{VECTORS}"
    asked = {"directory": directory, "vectors": VECTORS, "queries": queries}
    model = harness.installed(checkpoint, precision)
    with harness.start() as process:
        answer = process.ask("hits", choice=choice(model, "cpu"), **asked)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer


def ratios(contest: Contest) -> dict[str, float | None]:
    figures = {}
    for name, (who, rival, inputs) in RATIOS.items():
        for case in contest.cases:
            if case.inputs.name == inputs:
                figures[name if case.batch == 1 else f"{name}_batch{case.batch}"] = contest.ratio(who, rival, case)
    return figures


def shares(contest: Contest, checkpoint: Path, gflops: float) -> dict[str, float | None]:
    """What the towers' operations, in the time that one input takes, are of what the machine can do."""
    model = weights.load(checkpoint)
    figures: dict[str, float | None] = {}
    for case in contest.cases:
        kind = case.inputs.kind
        if case.batch == 1 and kind in ("audio", "image"):
            giga = flops(model, kind, case.inputs) * 1e-9
            ms = contest.ms("earmark f32", case)
            figures |= {f"{kind}_gflop": giga, f"{kind}_share_of_peak": giga / ms * 1e3 / gflops}
    return figures


def measured(options: argparse.Namespace) -> tuple[Contest, Agreement, dict[str, object]]:
    harness, work = Harness(options.executable, options.work, options.threads), options.work
    say("making weights and inputs, exporting, importing")
    checkpoint = weights.checkpoint(work)
    inputs = everything(BATCH, work)
    others = rivals(checkpoint, work, options.threads)
    mine, missing = ours(harness, checkpoint, "cpu", OURS)
    everybody = [*mine, *others]
    agreed = agreement(everybody, others[0], list(inputs.values()), BATCH)
    say("embedding in turns")
    cases = [Case(it, batch, 1 if batch > 1 else REPEATS[it.kind]) for it in inputs.values() for batch in (1, BATCH)]
    contest = Contest(cases, everybody, list(missing))
    peak = Peak(harness)
    contest.run(QUICK_ROUNDS if options.quick else ROUNDS, peak.measure)
    for process in (*mine, peak):
        process.close()
    highest = max(peak.best.values())
    figures: dict[str, object] = ratios(contest) | {"gemm_peak_gflops": highest, "gemm_gflops": peak.best}
    figures |= shares(contest, checkpoint, highest)
    for who, prefix in (("earmark f32", "text_to_hits"), ("earmark half", "text_to_hits_bf16")):
        if who not in missing:
            say(f"from words to hits in a library of {VECTORS:,} of {who}, which is made unless it is there")
            answered = hits(harness, checkpoint, OURS[who], QUICK_QUERIES if options.quick else QUERIES)
            figures |= {f"{prefix}_{name}": value for name, value in answered.items()}
    return contest, agreed, figures | {"missing": missing}


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    contest, agreed, figures = measured(options)
    wrong = agreed.wrong(OURS)
    versions = {"earmark": revision(), "torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    figures |= agreed.figures() | {"ms": contest.figures(), "vectors": VECTORS, "threads": options.threads}
    figures |= {"machine": machine(), "date": datetime.date.today().isoformat(), "versions": versions, "wrong": wrong}
    for shown in (table(*contest.table()), table(*agreed.table()), single(figures)):
        print(shown + "\n")
    conclude(figures)


if __name__ == "__main__":
    main()
