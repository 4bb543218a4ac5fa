"""Sounds, pictures and captions as `export.rs` wrote them, and what is done so that none is seen twice alike."""

import json
from pathlib import Path

import numpy as np
import torch

from towers import blackman_harris

WINDOW, HOP, N_FFT, BINS = 1654, 561, 2048, 1023
# Decibels are kept as bytes of one decibel each: `byte = dB + OFFSET`. Their own scatter is many times that.
OFFSET = 215
WINDOW_FRAMES = 392  # five seconds
END_OF_TEXT = 49407
VOCABULARY = 49408
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


def basis():
    """The untrained fbsp basis times the window, rounded to f32 at each step as earmark builds it: [1654, 2 * 1023]."""
    f32 = np.float32
    n = np.arange(N_FFT, dtype=np.float64)
    step = np.float64(f32(2 / (N_FFT - 1)))
    lin = np.where(n < N_FFT // 2, step * n - 1, 1 - step * (N_FFT - 1 - n)).astype(f32)
    t = (f32(np.pi) * lin + f32(1e-8))[(N_FFT - WINDOW) // 2 :][:WINDOW]
    angle = (np.arange(BINS, dtype=f32)[None, :] * t[:, None]).astype(np.float64)
    window = blackman_harris(WINDOW)[:, None]
    scale = f32(45.254834)
    parts = [np.cos(angle).astype(f32) / scale * window, -np.sin(angle).astype(f32) / scale * window]
    return torch.from_numpy(np.concatenate(parts, 1))


def decibels(samples, transform):
    """Mono at 44.1 kHz and full scale 1 -> [frames, 1023] bytes."""
    x = torch.from_numpy(np.asarray(samples)) * 32768
    x = ((x + 32768) * 2) / 65535 - 1
    frames = 1 + max(0, -(-(len(x) - WINDOW) // HOP))
    missing = max(0, (frames - 1) * HOP + WINDOW - len(x))
    x = torch.nn.functional.pad(x, (missing // 2, missing - missing // 2))
    spectrum = x.unfold(0, WINDOW, HOP)[:frames] @ transform
    power = spectrum[:, :BINS] ** 2 + spectrum[:, BINS:] ** 2
    return (10 * torch.log10(power.clamp_min(1e-18)) + OFFSET).round().clamp(0, 255).to(torch.uint8).numpy()


class Data:
    """All there is, split into what is trained on and what is held out."""

    def __init__(self, directory, train_folds, held_out_fold, held_out_share=0.05):
        directory = Path(directory)
        self.index = json.loads((directory / "index.json").read_text())
        self.concepts = self.index["concepts"]
        self.features, self.starts = self._features(directory)
        count = len(self.index["pictures"])
        self.pictures = np.memmap(directory / "pictures.u8", np.uint8, "r", shape=(count, 3, 224, 224))
        keep = lambda rows: rows[: len(rows) - max(1, round(len(rows) * held_out_share))]
        drop = lambda rows: rows[len(keep(rows)) :]
        made, real, self.real_held_out, painted = self._rows(train_folds, held_out_fold)
        self.made, self.made_held_out = [keep(rows) for rows in made], [drop(rows) for rows in made]
        self.painted, self.painted_held_out = [keep(rows) for rows in painted], [drop(rows) for rows in painted]
        self.real = real

    def _rows(self, train_folds, held_out_fold):
        concepts = range(len(self.concepts))
        made, real, held_out = [[] for _ in concepts], [[] for _ in concepts], [[] for _ in concepts]
        for row, sound in enumerate(self.index["sounds"]):
            if sound["fold"] is None:
                made[sound["concept"]].append(row)
            elif sound["fold"] in train_folds:
                real[sound["concept"]].append(row)
            elif sound["fold"] == held_out_fold:
                held_out[sound["concept"]].append(row)
        painted = [[] for _ in concepts]
        for row, concept in enumerate(self.index["pictures"]):
            painted[concept].append(row)
        return made, real, held_out, painted

    def _features(self, directory):
        """Spectrograms of all sounds, computed once: the front-end is not trained."""
        samples = [sound["samples"] for sound in self.index["sounds"]]
        frames = [1 + max(0, -(-(count - WINDOW) // HOP)) for count in samples]
        starts = np.concatenate([[0], np.cumsum(frames)])
        path = directory / "features.u8"
        if not path.exists():
            transform = basis()
            sounds = np.memmap(directory / "sounds.f32", np.float32, "r")
            with open(directory / "features.part", "wb") as file:
                for first, count in zip(np.concatenate([[0], np.cumsum(samples)]), samples):
                    file.write(decibels(sounds[first : first + count], transform).tobytes())
            (directory / "features.part").rename(path)
        return np.memmap(path, np.uint8, "r", shape=(int(starts[-1]), BINS)), starts

    def sound(self, row):
        """[frames, 1023] bytes."""
        return self.features[self.starts[row] : self.starts[row + 1]]

    def batch(self, random, frames, share_of_recordings):
        """One sound, picture and caption of each concept: no two of a batch belong together but the own ones."""
        rows = []
        for made, real in zip(self.made, self.real):
            use_real = real and random.random() < share_of_recordings
            rows.append(one_of(real if use_real else made, random))
        sounds = np.stack([varied(self.sound(row), frames, random) for row in rows])
        pictures = np.stack([self.pictures[one_of(painted, random)] for painted in self.painted])
        texts = [varied_text(one_of(words["captions"], random), random) for words in self.index["captions"]]
        sounds = vary_decibels(torch.from_numpy(sounds), random)
        return sounds, vary_pictures(torch.from_numpy(pictures), random), padded(texts)


def one_of(rows, random):
    return rows[random.integers(len(rows))]


def varied(sound, frames, random):
    """A stretch of so many frames, slower or faster, higher or lower; repeated if the sound is shorter."""
    speed, pitch = np.exp(random.normal(0, 0.12)), np.exp(random.normal(0, 0.1))
    needed = int(np.ceil(frames * speed))
    first = random.integers(0, max(1, len(sound) - needed + 1))
    times = (first + (np.arange(frames) * speed).astype(int)) % len(sound)
    if random.random() < 0.1:
        times = times[::-1]
    bins = np.minimum((np.arange(BINS) / pitch).astype(int), BINS - 1)
    return sound[times][:, bins]


def vary_decibels(sounds, random):
    """[batch, frames, 1023] bytes -> [batch, 3, 341, frames] decibels: level, tone, noise, gaps."""
    x = sounds.float() - OFFSET
    batch, frames, bins = x.shape
    rng = torch.Generator().manual_seed(int(random.integers(1 << 62)))
    uniform = lambda low, high, *shape: torch.rand(*shape, generator=rng) * (high - low) + low
    axis = torch.linspace(0, 1, bins)
    tone = sum(
        uniform(-4, 4, batch, 1) * torch.cos(np.pi * (k * axis + uniform(0, 2, batch, 1))) for k in (0.5, 1, 2, 4)
    )
    dull = (uniform(0, 1, batch, 1) < 0.15) * (axis - uniform(0.1, 0.8, batch, 1)).clamp_min(0) * 300
    x = x + (tone - dull.clamp_max(70) + uniform(-18, 10, batch, 1))[:, None, :]
    # A floor of noise below which nothing is heard; its power is exponentially distributed, as that of any noise.
    floor = torch.where(uniform(0, 1, batch) < 0.4, uniform(-75, -30, batch), torch.tensor(-170.0))[:, None, None]
    scatter = -torch.log(torch.rand(batch, frames, bins, generator=rng).clamp_min(1e-6))
    x = 10 * torch.log10(10 ** (x / 10) + 10 ** (floor / 10) * scatter + 1e-20)
    mean = x.mean((1, 2))
    for row in range(batch):
        for _ in range(2):
            width = random.integers(0, frames // 8)
            at = random.integers(0, frames - width)
            x[row, at : at + width] = mean[row]
            width = random.integers(0, bins // 10)
            at = random.integers(0, bins - width)
            x[row, :, at : at + width] = mean[row]
    return bands(x)


def bands(x):
    """[batch, frames, 1023] -> [batch, 3, 341, frames]."""
    return x.reshape(x.shape[0], x.shape[1], 3, 341).permute(0, 2, 3, 1)


def vary_pictures(pictures, random):
    """[batch, 3, 224, 224] bytes -> normalised: mirrored, moved, scaled, turned, other light."""
    batch = len(pictures)
    x = pictures.float() / 255
    angle = torch.from_numpy(random.normal(0, 0.1, batch)).float()
    scale = torch.from_numpy(np.exp(random.normal(0, 0.12, batch))).float()
    mirror = torch.from_numpy(random.choice([-1.0, 1.0], batch)).float()
    shift = torch.from_numpy(random.normal(0, 0.06, (batch, 2))).float()
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    theta = torch.stack([cosine * mirror, -sine, shift[:, 0], sine * mirror, cosine, shift[:, 1]], 1).view(batch, 2, 3)
    grid = torch.nn.functional.affine_grid(theta, list(x.shape), align_corners=False)
    x = torch.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    light = torch.from_numpy(random.normal(0, 0.06, (batch, 3, 1, 1))).float()
    gain = torch.from_numpy(np.exp(random.normal(0, 0.12, (batch, 1, 1, 1)))).float()
    return normalised((x * gain + light).clamp(0, 1))


def normalised(pictures):
    """RGB in [0, 1] to what the model takes."""
    return (pictures - MEAN) / DEVIATION


def varied_text(ids, random):
    """Ids of a caption with words lost, and words that mean nothing among them."""
    start, *words, end = ids
    if len(words) > 2:
        words = [word for word in words if random.random() > 0.06]
    if random.random() < 0.25:
        for _ in range(random.integers(1, 4)):
            words.insert(random.integers(0, len(words) + 1), int(random.integers(256, END_OF_TEXT - 1)))
    return [start, *words, end]


def padded(texts):
    """Lists of ids to [batch, positions], padded with 0 as CLIP does."""
    length = max(map(len, texts))
    return torch.tensor([ids + [0] * (length - len(ids)) for ids in texts])
