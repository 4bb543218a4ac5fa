"""Everybody on the same inputs, in turns; and whether all of them make the same vectors."""

import statistics
import subprocess
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from embedders import Embedder, Harness, Ours, choice
from inputs import Inputs
from models import BINS, HOP, WINDOW, AudioClip
from report import NOTHING, Row, say

# Threads of whoever was last may still wait busily.
PAUSE_S = 0.02
LEAST_COSINE = 0.999
Table = tuple[list[str], list[Row]]


@dataclass(frozen=True)
class Case:
    """So many inputs of a kind together, and how often in a row each embeds them."""

    inputs: Inputs
    batch: int
    repeats: int

    @property
    def name(self) -> str:
        return self.inputs.name if self.batch == 1 else f"{self.inputs.name}, {self.batch} together"


@dataclass
class Contest:
    """Who takes how long for what."""

    cases: list[Case]
    embedders: Sequence[Embedder]
    # Those that cannot take part, for the tables.
    absent: list[str]
    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def run(self, rounds: int, between: Callable[[], None] = lambda: None) -> None:
        """In every round each has its turn, with another one before it than in the last; `between` comes after it."""
        for number in range(-1, rounds):
            for case in self.cases:
                turn = number % len(self.embedders)
                for embedder in [*self.embedders[turn:], *self.embedders[:turn]]:
                    if embedder.takes(case.inputs):
                        time.sleep(PAUSE_S)
                        # In the first round caches are filled and layouts chosen.
                        repeats = 1 if number < 0 else case.repeats
                        spent = embedder.seconds(case.inputs, case.batch, repeats)
                        if number >= 0:
                            self.times.setdefault((embedder.name, case.name), []).extend(spent)
            between()
            say(f"round {number + 1} of {rounds}")

    def ms(self, who: str, case: Case) -> float | None:
        """For one input."""
        times = self.times.get((who, case.name))
        return statistics.median(times) / case.batch * 1e3 if times else None

    def ratio(self, who: str, rival: str, case: Case) -> float | None:
        """How many times as fast as the rival."""
        mine, theirs = self.ms(who, case), self.ms(rival, case)
        return theirs / mine if mine and theirs else None

    def table(self) -> Table:
        title, names = "ms an input", self.names()
        rows = [{title: case.name} | {who: self.ms(who, case) or NOTHING for who in names} for case in self.cases]
        return [title, *names], rows

    def figures(self) -> dict[str, dict[str, float | None]]:
        return {who: {case.name: self.ms(who, case) for case in self.cases} for who in self.names()}

    def names(self) -> list[str]:
        return [*(embedder.name for embedder in self.embedders), *self.absent]


@dataclass
class Agreement:
    """The least cosine of the angles between everybody's vectors and those of the reference."""

    reference: str
    cosines: dict[tuple[str, str], float]

    def figures(self) -> dict[str, float]:
        return {f"{key(inputs)}_{key(who)}_cosine": value for (who, inputs), value in self.cosines.items()}

    def table(self) -> Table:
        names = list(dict.fromkeys(who for who, _ in self.cosines))
        kinds = dict.fromkeys(inputs for _, inputs in self.cosines)
        title = f"least cosine to {self.reference}"
        rows = [{title: kind} | {who: shown(self.cosines.get((who, kind))) for who in names} for kind in kinds]
        return [title, *names], rows

    def wrong(self, whose: Container[str]) -> list[str]:
        """What is too far off, of some of them."""
        return [
            f"{who}, {inputs}: cosine {value:.6f}"
            for (who, inputs), value in self.cosines.items()
            if who in whose and not value >= LEAST_COSINE
        ]


def agreement(
    embedders: Sequence[Embedder], reference: Embedder, everything: Sequence[Inputs], count: int
) -> Agreement:
    """Also how alike the reference's vectors of different inputs are: were they the same, agreement would be easy."""
    cosines: dict[tuple[str, str], float] = {}
    for inputs in everything:
        right = reference.vectors(inputs, count)
        for embedder in embedders:
            if embedder is not reference and embedder.takes(inputs):
                cosines[embedder.name, inputs.name] = float((embedder.vectors(inputs, count) * right).sum(1).min())
        others = (right @ right.T)[~np.eye(len(right), dtype=bool)]
        cosines["different inputs", inputs.name] = float(others.mean())
    return Agreement(reference.name, cosines)


def key(name: str) -> str:
    return name.replace(" ", "_").replace(",", "")


def shown(cosine: float | None) -> str:
    return NOTHING if cosine is None else f"{cosine:.6f}"


def ours(
    harness: Harness, checkpoint: Path, device: str, names: dict[str, str]
) -> tuple[list[Ours], dict[str, str]]:
    """earmark in each precision that it has, by the name it shall go by; and why it has not the others."""
    there, missing = [], {}
    for name, precision in names.items():
        try:
            model = harness.installed(checkpoint, precision)
            there.append(Ours(name, harness, choice(model, device)))
        except ValueError as error:
            missing[name] = str(error)
    return there, missing


def flops(model: AudioClip, kind: str, inputs: Inputs) -> float:
    """Floating point operations of one input in convolutions, linear layers and the front-end's matrix; what is between
    them is not counted.
    """
    counted = []

    def count(layer: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        terms = layer.weight[0].numel()
        counted.append(2 * terms * output.numel())

    tower = model.audio if kind == "audio" else model.visual
    layers = [it for it in tower.modules() if isinstance(it, (torch.nn.Conv2d, torch.nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.inference_mode():
        tower(torch.from_numpy(inputs.values[:1]))
    for hook in hooks:
        hook.remove()
    frames = 1 + max(0, -(-(inputs.width - WINDOW) // HOP))
    front_end = 2 * frames * WINDOW * 2 * BINS if kind == "audio" else 0
    return sum(counted) + front_end


def revision() -> str:
    """Of earmark's source, where there is one."""
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"
