"""Trains the demo model: three towers, one space.

    python train.py DATA OUT [--steps N] [--seed S]

DATA is what `export.rs` wrote. OUT receives `model.pt`, a checkpoint as `earmark model import` takes it, and a log.
The loss is AudioCLIP's: the mean of the symmetric cross-entropies of the three pairs of modalities. Three towers that
start from nothing take long to agree on anything, so at first each is also told where the concepts are to lie: at
random directions, the same for all three. That help is withdrawn step by step.
"""

import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import measure
from data import WINDOW_FRAMES, Data
from towers import AudioTower, Model

# Peak of the learning rate, and how it falls: linear warm-up, then half a cosine.
LEARNING_RATE, WARM_UP_STEPS = 2.5e-3, 60
WEIGHT_DECAY = 0.05
# Weights are averaged over about this many steps; the average is what is written.
AVERAGED_STEPS = 150
SHARE_OF_RECORDINGS = 0.6
# Until this share of the steps the towers are helped, less and less.
HELPED_SHARE, HELP_SCALE = 0.6, 30.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measure-every", type=int, default=200)
    parser.add_argument("--train-folds", default="1,2,3")
    parser.add_argument("--held-out-fold", type=int, default=4)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    folds = {int(fold) for fold in options.train_folds.split(",")}
    data = Data(options.data, folds, options.held_out_fold)
    dimensions = json.loads((Path(__file__).parent / "dimensions.json").read_text())
    model = Model(dimensions).to(memory_format=torch.channels_last)
    train(model, data, options, random)


def train(model, data, options, random):
    average = copy.deepcopy(model).eval()
    directions = F.normalize(torch.randn(len(data.concepts), model.text_projection.shape[1]), dim=-1)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    kept = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": kept, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.98))
    started, recent = time.monotonic(), []
    for step in range(options.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, options.steps)
        towers = embed(model, data.batch(random, frames_at(step, options.steps, random), SHARE_OF_RECORDINGS))
        help_left = max(0.0, 1 - step / (HELPED_SHARE * options.steps))
        loss = contrast(model, towers) + help_left * guidance(towers, directions)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for tower in towers_of(model):
            torch.nn.utils.clip_grad_norm_(tower, 1.0)
        optimiser.step()
        with torch.no_grad():
            for scale in (model.logit_scale, model.logit_scale_ai, model.logit_scale_at):
                scale.clamp_(0, math.log(100))
        follow(average, model, min(1 - 1 / AVERAGED_STEPS, step / (step + 10)))
        recent.append(loss.item())
        if (step + 1) % 25 == 0:
            print(f"step {step + 1} loss {np.mean(recent):.3f} {time.monotonic() - started:.0f} s", flush=True)
            recent = []
        if (step + 1) % options.measure_every == 0 or step + 1 == options.steps:
            report(step + 1, measure.measured(average, data), options.out)
            torch.save(average.checkpoint(), options.out / "model.pt")


def learning_rate(step, steps):
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return LEARNING_RATE * warm * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-6


def frames_at(step, steps, random):
    """Short stretches at first, which cost less; whole windows towards the end."""
    longest = 160 if step < 0.6 * steps else 260 if step < 0.85 * steps else WINDOW_FRAMES
    return int(random.integers(longest * 2 // 3, longest + 1))


def embed(model, batch):
    """Unit vectors of the sounds, the pictures and the texts.

    bfloat16 halves the time of the audio tower. The visual tower is as fast without, and learns far sooner.
    """
    sounds, pictures, texts = batch
    with torch.autocast("cpu", torch.bfloat16):
        audio = model.audio((sounds / AudioTower.SCALE).contiguous(memory_format=torch.channels_last))
    image = model.visual(pictures.contiguous(memory_format=torch.channels_last))
    return [F.normalize(it.float(), dim=-1) for it in (audio, image, model.text(texts))]


def contrast(model, towers):
    """Mean of the symmetric cross-entropies of audio-text, audio-image and image-text."""
    audio, image, text = towers
    total = 0
    for one, other, scale in (
        (audio, text, model.logit_scale_at),
        (audio, image, model.logit_scale_ai),
        (image, text, model.logit_scale),
    ):
        logits, target = scale.exp() * one @ other.T, torch.arange(len(one))
        total = total + F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
    return total / 6


def guidance(towers, directions):
    """Mean cross-entropy of each tower against the directions given to the concepts."""
    target = torch.arange(len(directions))
    return sum(F.cross_entropy(HELP_SCALE * it @ directions.T, target) for it in towers) / 3


def towers_of(model):
    """Parameters of the audio, the visual and the text tower: their gradients have nothing to do with each other."""
    named = list(model.named_parameters())
    within = lambda prefix: [parameter for name, parameter in named if name.startswith(prefix)]
    rest = [parameter for name, parameter in named if not name.startswith(("audio.", "visual."))]
    return within("audio."), within("visual."), rest


@torch.no_grad()
def follow(average, model, momentum):
    for mine, theirs in zip(average.state_dict().values(), model.state_dict().values()):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - momentum)
        else:
            mine.copy_(theirs)


def report(step, figures, out):
    line = json.dumps({"step": step, **figures})
    print(line, flush=True)
    with open(out / "figures.jsonl", "a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main()
