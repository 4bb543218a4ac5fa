"""Who is compared: PyTorch, and earmark in its own process. ONNX Runtime is in `onnx_rival.py`.

Each takes inputs from memory and leaves vectors in memory, also where they are computed on a GPU; the clock runs over
all of that.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

import weights
from data import read, unit
from inputs import Inputs, padded
from models import CONTEXT
from process import Process

Vectors = NDArray[np.float32]
Choice = dict[str, str]
TEXT = "text"


class Embedder(Protocol):
    """Whoever makes vectors of inputs."""

    name: str

    def takes(self, inputs: Inputs) -> bool:
        """Whether it has the tower."""

    def seconds(self, inputs: Inputs, count: int, repeats: int) -> list[float]:
        """What each of `repeats` times takes to embed the first `count` inputs together."""

    def vectors(self, inputs: Inputs, count: int) -> Vectors:
        """Of unit length."""


class Torch:
    """PyTorch, without gradients. In half precision its weights are so, and activations in channels-last order.

    Prompts are as long as the model's context, as AudioCLIP has them.
    """

    def __init__(self, name: str, checkpoint: Path, device: str, dtype: torch.dtype, compiled: bool = False):
        self.name, self.device, self.cut = name, torch.device(device), False
        model = weights.load(checkpoint).to(self.device)
        if dtype != torch.float32:
            basis = model.audio.basis
            model = model.to(dtype, memory_format=torch.channels_last)
            # Decibels of half precision would be of no use to anybody.
            model.audio.basis = basis
        self.dtype = dtype
        self.layout = torch.contiguous_format if dtype == torch.float32 else torch.channels_last
        towers = {"audio": model.audio, "image": model.visual, TEXT: model.text}
        self.towers = {kind: torch.compile(it, dynamic=False) if compiled else it for kind, it in towers.items()}

    def cutting(self, name: str) -> Self:
        """With the same weights, for prompts only, which are no longer than they are."""
        other = copy.copy(self)
        other.name, other.cut = name, True
        return other

    def as_published(self, name: str) -> Self:
        """With the same weights, for sounds only; the front-end's basis is made for every batch."""
        other = copy.copy(self)
        audio = copy.copy(self.towers["audio"])
        audio.as_published = True
        other.name, other.towers = name, {"audio": audio}
        return other

    def takes(self, inputs: Inputs) -> bool:
        return inputs.kind in self.towers and (not self.cut or (inputs.kind == TEXT and inputs.width < CONTEXT))

    def embed(self, inputs: Inputs, count: int) -> Vectors:
        values = inputs.values[:count]
        if inputs.kind == TEXT and not self.cut:
            values = padded(values)
        with torch.inference_mode():
            tensor = torch.from_numpy(values).to(self.device)
            if inputs.kind == "image":
                tensor = tensor.to(self.dtype, memory_format=self.layout)
            return self.towers[inputs.kind](tensor).float().cpu().numpy()

    def seconds(self, inputs: Inputs, count: int, repeats: int) -> list[float]:
        return [timed(lambda: self.embed(inputs, count)) for _ in range(repeats)]

    def vectors(self, inputs: Inputs, count: int) -> Vectors:
        return unit(self.embed(inputs, count))


@dataclass(frozen=True)
class Harness:
    """earmark's binary, the folder for what is made, and how many threads it has."""

    executable: Path
    work: Path
    threads: int

    def start(self) -> Process:
        return Process(self.executable, "embed", {"RAYON_NUM_THREADS": str(self.threads)})

    def installed(self, checkpoint: Path, precision: str) -> Path:
        """The checkpoint as earmark's model. Raises `ValueError` with its reason if it has not got that precision."""
        with self.start() as process:
            answer = process.ask("import", checkpoint=checkpoint, store=self.work / "models", precision=precision)
        if "error" in answer:
            raise ValueError(answer["error"])
        return Path(answer["model"])


def choice(model: Path, device: str) -> Choice:
    """As earmark is asked for it."""
    return {"model": str(model), "device": device}


class Ours:
    """earmark, with a model on a device. Raises `ValueError` with its reason if it has not got that."""

    def __init__(self, name: str, harness: Harness, choice: Choice):
        self.name, self.found = name, harness.work / "vectors.f32"
        self.process = harness.start()
        opened = self.process.ask("open", **choice)
        if "error" in opened:
            self.close()
            raise ValueError(opened["error"])

    def takes(self, inputs: Inputs) -> bool:
        return True

    def seconds(self, inputs: Inputs, count: int, repeats: int) -> list[float]:
        return self.ask(inputs, count, repeats)

    def vectors(self, inputs: Inputs, count: int) -> Vectors:
        self.ask(inputs, count, 1, vectors=self.found)
        return read(self.found)

    def ask(self, inputs: Inputs, count: int, rounds: int, **more: Path) -> list[float]:
        which = {"kind": inputs.kind, "input": inputs.path, "width": inputs.width}
        return self.process.ask("embed", **which, count=count, rounds=rounds, **more)["seconds"]

    def close(self) -> None:
        self.process.close()


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
