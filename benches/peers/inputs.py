"""What is embedded: made sounds, pictures and prompts, in the form that the model takes, from seeds.

Everybody reads the same values. earmark's process reads them from files: little-endian, nothing but the values.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data import write
from models import CONTEXT, SIDE, VOCABULARY

SAMPLE_RATE_HZ = 44_100
SECONDS = 5
PARTIALS = 6
# Words of a short prompt; markers at both ends are tokens too.
WORDS = 5
START, END = VOCABULARY - 2, VOCABULARY - 1


@dataclass(frozen=True)
class Inputs:
    """Things of one kind. `values` has one row each; prompts are as long as their longest."""

    name: str
    kind: str
    values: NDArray
    path: Path

    @property
    def width(self) -> int:
        """Values of one of them."""
        return self.values[0].size


def random(seed: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64((seed, number)))


def sounds(count: int, first: int = 0) -> NDArray[np.float32]:
    """`[count, samples]` in int16 units: a few fading tones in noise, each clip with its own."""
    return np.stack([sound(first + number) for number in range(count)])


def sound(number: int) -> NDArray[np.float32]:
    draw = random(1, number)
    samples = SECONDS * SAMPLE_RATE_HZ
    time = np.arange(samples) / SAMPLE_RATE_HZ
    tones = np.zeros(samples)
    for _ in range(PARTIALS):
        pitch, begin, fading = np.exp(draw.uniform(4, 9.5)), draw.uniform(0, SECONDS), draw.uniform(0.2, 3)
        since = time - begin
        tones += np.where(since > 0, np.exp(-fading * since.clip(0)), 0) * np.sin(2 * np.pi * pitch * since)
    noise = draw.standard_normal(samples)
    darker = np.convolve(noise, np.exp(-np.arange(32) / draw.uniform(1, 16)), "same")
    mixed = tones * draw.uniform(0.2, 1) + darker * draw.uniform(0.01, 0.3)
    return np.round(mixed / np.abs(mixed).max() * draw.uniform(2_000, 30_000)).astype(np.float32)


def pictures(count: int, first: int = 0) -> NDArray[np.float32]:
    """`[count, 3, side, side]` of normalised RGB: patches of several sizes."""
    return np.stack([picture(first + number) for number in range(count)])


def picture(number: int) -> NDArray[np.float32]:
    draw = random(2, number)
    values = np.zeros((3, SIDE, SIDE))
    for patches in (7, 14, 56, SIDE):
        patch = SIDE // patches
        small = draw.standard_normal((3, patches, patches)) * draw.uniform(0.1, 1)
        values += small.repeat(patch, 1).repeat(patch, 2)
    return values.astype(np.float32)


def prompts(count: int, words: int) -> NDArray[np.int64]:
    """`[count, words + 2]`."""
    ids = np.stack([random(3, number).integers(512, START, words) for number in range(count)])
    return np.hstack([np.full((count, 1), START), ids, np.full((count, 1), END)])


def padded(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """As many positions as the model has."""
    return np.pad(ids, ((0, 0), (0, CONTEXT - ids.shape[1])))


def everything(count: int, work: Path) -> dict[str, Inputs]:
    folder = work / "inputs"
    folder.mkdir(parents=True, exist_ok=True)

    def kept(name: str, kind: str, values: NDArray) -> Inputs:
        stored = values.astype("<u4" if kind == "text" else "<f4")
        return Inputs(name, kind, values, write(folder / f"{name.replace(' ', '-')}-{count}.raw", stored))

    made = (
        kept("audio", "audio", sounds(count)),
        kept("image", "image", pictures(count)),
        kept("text", "text", prompts(count, WORDS)),
        kept("text of 77", "text", prompts(count, CONTEXT - 2)),
    )
    return {inputs.name: inputs for inputs in made}
