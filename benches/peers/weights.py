"""Weights at the published dimensions, from a seed: nobody's, for those that were learned need not be here to be timed.

Layers begin as they would before training, and norms get the statistics of made inputs, so that activations stay of
one size and vectors differ from input to input. The file is a checkpoint like the published ones.
"""

import math
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from inputs import pictures, sounds
from models import WINDOW, Attention, AttentionPool, AudioClip, Bottleneck, Filters

SEED = 21
# Of the inputs that norms get their statistics from; those of the last attention have one value an input.
EXAMPLES = 8
FIRST_EXAMPLE = 1_000
# What a residual block adds must be less than what it adds to, or activations grow from block to block.
RESIDUAL_SCALE = 0.2
# Gates that are far open or shut depend on every digit; those of a trained model need not.
GATE_SCALE = 0.2


def checkpoint(work: Path) -> Path:
    """Made once, and then kept."""
    path = work / f"random-{SEED}.pt"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        torch.save(OrderedDict(made().state_dict()), unfinished)
        unfinished.rename(path)
    return path


def load(path: Path) -> AudioClip:
    """In evaluation mode, and with what depends on weights alone."""
    model = AudioClip().eval().requires_grad_(False)
    model.load_state_dict(torch.load(path, weights_only=True))
    model.audio.prepare()
    return model


def made() -> AudioClip:
    torch.manual_seed(SEED)
    model = AudioClip().eval().requires_grad_(False)
    for module in model.modules():
        fill(module)
    nn.init.normal_(model.positional_embedding, std=0.3)
    nn.init.normal_(model.text_projection, std=0.04)
    nn.init.normal_(model.token_embedding.weight, std=0.7)
    model.audio.window.copy_(torch.from_numpy(blackman_harris()))
    model.audio.prepare()
    calibrate(model.visual, torch.from_numpy(pictures(EXAMPLES, FIRST_EXAMPLE)))
    calibrate(model.audio, torch.from_numpy(sounds(EXAMPLES, FIRST_EXAMPLE)))
    return model


def fill(module: nn.Module) -> None:
    """The tensors of one module, without those of the modules in it."""
    match module:
        case nn.Conv2d() | nn.Linear():
            # Half of what a convolution puts out is cut off by what follows it.
            gain = 2 if isinstance(module, nn.Conv2d) else 1
            nn.init.normal_(module.weight, std=math.sqrt(gain / module.weight[0].numel()))
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.05)
        case nn.BatchNorm2d() | nn.LayerNorm():
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, std=0.1)
        case AttentionPool():
            nn.init.normal_(module.positional_embedding, std=0.3)
        case Filters():
            nn.init.uniform_(module.m, 0, 0.5)
            nn.init.uniform_(module.fb, 0.8, 1.2)
            numbers = torch.arange(len(module.fc), dtype=torch.float32)
            module.fc.copy_(numbers + torch.empty_like(numbers).uniform_(-0.3, 0.3))
        case nn.Module(in_proj_weight=weight, in_proj_bias=bias):
            nn.init.normal_(weight, std=1.5 / math.sqrt(weight.shape[1]))
            nn.init.normal_(bias, std=0.05)


def calibrate(tower: nn.Module, examples: torch.Tensor) -> None:
    for module in tower.modules():
        if isinstance(module, Bottleneck):
            module.bn3.weight.mul_(RESIDUAL_SCALE)
        elif isinstance(module, Attention):
            module.bn.weight.mul_(GATE_SCALE)
        elif isinstance(module, nn.BatchNorm2d):
            # Without it the statistics are those of the examples alone.
            module.momentum = None
            module.train()
    tower(examples)
    tower.eval()


def blackman_harris() -> np.ndarray:
    turns = 2 * np.pi * np.arange(WINDOW) / WINDOW
    terms = (0.35875, -0.48829, 0.14128, -0.01168)
    return sum(term * np.cos(number * turns) for number, term in enumerate(terms)).astype(np.float32)
