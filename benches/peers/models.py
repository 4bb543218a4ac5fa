"""AudioCLIP in PyTorch: its three towers at the published dimensions, as a person who only runs it would write them.

Modules are named as the tensors in a checkpoint are, so that a state dict fits. Norms are not folded into convolutions,
for PyTorch run as it comes does not do so either; what depends on weights alone is made once. Samples and pictures come
as earmark's model takes them: 44.1 kHz in int16 units, `[3, 224, 224]` of normalised RGB.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

DIMENSION = 1024
BLOCKS = (3, 4, 6, 3)
SIDE = 224
CONTEXT, VOCABULARY, TEXT_WIDTH, TEXT_LAYERS = 77, 49_408, 512, 12
HEAD = 64
FFT, HOP, WINDOW = 2048, 561, 1654
FILTERS, BANDS, BAND_ROWS = 1025, 3, 341
BINS = BANDS * BAND_ROWS
POWER_OF_SILENCE = 1e-18


def conv(inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Without a bias, and padded so that a stride of 1 keeps the size."""
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (sides[0] // 2, sides[1] // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)


def shortcut(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class Bottleneck(nn.Module):
    """A residual block. Pictures are made smaller by averaging, sounds by the strides of convolutions."""

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int, groups: int, averaging: bool, first: bool):
        super().__init__()
        stepping = 1 if averaging else stride
        self.conv1, self.bn1 = conv(inputs, inner, 1), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = conv(inner, inner, 3, stepping, groups), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = conv(inner, outputs, 1), nn.BatchNorm2d(outputs)
        self.pooling = stride if averaging else 1
        self.downsample = shortcut(inputs, outputs, stepping) if first else None

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.bn1(self.conv1(x)))
        inner = functional.relu(self.bn2(self.conv2(inner)))
        if self.pooling > 1:
            inner, x = functional.avg_pool2d(inner, self.pooling), functional.avg_pool2d(x, self.pooling)
        inner = self.bn3(self.conv3(inner))
        return functional.relu(inner + (x if self.downsample is None else self.downsample(x)))


def stage(number: int, inputs: int, inner: int, outputs: int, groups: int, averaging: bool) -> nn.Sequential:
    blocks = [Bottleneck(inputs, inner, outputs, 1 if number == 0 else 2, groups, averaging, True)]
    rest = range(1, BLOCKS[number])
    blocks += [Bottleneck(outputs, inner, outputs, 1, groups, averaging, False) for _ in rest]
    return nn.Sequential(*blocks)


class AttentionPool(nn.Module):
    """One query, the mean of all places, over that mean and all places."""

    def __init__(self, width: int, places: int):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(places + 1, width))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, DIMENSION)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(1, keepdim=True), x], 1) + self.positional_embedding
        query, keys, values = (split_heads(it) for it in (self.q_proj(x[:, :1]), self.k_proj(x), self.v_proj(x)))
        return self.c_proj(join_heads(functional.scaled_dot_product_attention(query, keys, values))).squeeze(1)


def split_heads(x: Tensor) -> Tensor:
    return x.unflatten(2, (-1, HEAD)).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


class Visual(nn.Module):
    """`[pictures, 3, 224, 224]` to vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 32, 3, 2), nn.BatchNorm2d(32)
        self.conv2, self.bn2 = conv(32, 32, 3), nn.BatchNorm2d(32)
        self.conv3, self.bn3 = conv(32, 64, 3), nn.BatchNorm2d(64)
        inputs = 64
        for number in range(len(BLOCKS)):
            inner = 64 << number
            setattr(self, f"layer{number + 1}", stage(number, inputs, inner, 4 * inner, 1, True))
            inputs = 4 * inner
        self.attnpool = AttentionPool(inputs, (SIDE // 32) ** 2)

    def forward(self, x: Tensor) -> Tensor:
        for number in (1, 2, 3):
            x = functional.relu(getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)))
        x = functional.avg_pool2d(x, 2)
        for number in range(len(BLOCKS)):
            x = getattr(self, f"layer{number + 1}")(x)
        return self.attnpool(x)


class Filters(nn.Module):
    """The learned parameters of the frequency B-spline wavelets. `bias` is in every checkpoint, and empty."""

    def __init__(self) -> None:
        super().__init__()
        self.m, self.fb, self.fc = (nn.Parameter(torch.empty(FILTERS)) for _ in range(3))
        self.bias = nn.Parameter(torch.empty(0))

    def basis(self, window: NDArray[np.float32]) -> Tensor:
        """`[window, 2 · bins]`, real parts first, with the window folded in; rounded to f32 at every step, for the
        noise that this makes is loud enough in decibels to matter.
        """
        f32 = np.float32
        m, fb, fc = (it.detach().cpu().numpy()[:BINS, None] for it in (self.m, self.fb, self.fc))
        time = time_axis()[None]
        phase = fc * time
        carrier = rounded(np.cos, phase), -rounded(np.sin, phase)
        argument = (fb * time) / (m + f32(1e-8))
        with np.errstate(invalid="ignore", divide="ignore"):
            sinc = np.where(argument == 0, f32(1), rounded(np.sin, argument) / argument)
        square = sinc * sinc
        modulus = np.sqrt(square)
        radius = rounded(np.power, modulus * modulus, f32(0.5) * m)
        turn = np.where(sinc >= 0, f32(0), m * f32(math.pi))
        envelope = radius * rounded(np.cos, turn), radius * rounded(np.sin, turn)
        real = envelope[0] * carrier[0] - envelope[1] * carrier[1]
        imaginary = envelope[0] * carrier[1] + envelope[1] * carrier[0]
        gain, norm = np.sqrt(fb), f32(math.sqrt(FFT))
        return torch.from_numpy(np.vstack([gain * it / norm * window for it in (real, imaginary)]).T.copy())

    def rebuilt(self, window: Tensor) -> Tensor:
        """The same by PyTorch's functions, of all filters and times, as AudioCLIP's own code makes it for every batch.
        What never meets a sample is then left out.
        """
        m, fb, fc = (it[:, None] for it in (self.m, self.fb, self.fc))
        time = math.pi * torch.linspace(-1, 1, FFT, device=window.device)[None] + 1e-8
        phase = fc * time
        carrier = torch.cos(phase), -torch.sin(phase)
        argument = fb * time / (m + 1e-8)
        sinc = torch.where(argument == 0, 1, torch.sin(argument) / argument)
        radius = torch.pow(sinc.square(), 0.5 * m)
        turn = torch.where(sinc >= 0, 0, m * math.pi)
        envelope = radius * torch.cos(turn), radius * torch.sin(turn)
        real = envelope[0] * carrier[0] - envelope[1] * carrier[1]
        imaginary = envelope[0] * carrier[1] + envelope[1] * carrier[0]
        first, gain = (FFT - WINDOW) // 2, torch.sqrt(fb) / math.sqrt(FFT)
        used = [(gain * it)[:BINS, first : first + WINDOW] * window for it in (real, imaginary)]
        return torch.cat(used).T


def rounded(function: np.ufunc, *values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exact for the values given, then rounded once."""
    return function(*(value.astype(np.float64) for value in values)).astype(np.float32)


def time_axis() -> NDArray[np.float32]:
    """π times what a window's samples have of the way from −1 to 1 inclusive, counted from the nearer end."""
    numbers = np.arange(FFT)
    step = np.float64(np.float32(2 / (FFT - 1)))
    line = np.where(numbers < FFT // 2, step * numbers - 1, 1 - step * (FFT - 1 - numbers)).astype(np.float32)
    first = (FFT - WINDOW) // 2
    return (np.float32(math.pi) * line + np.float32(1e-8))[first : first + WINDOW]


class Attention(nn.Module):
    """What weighs the output of a stage, from its input."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int]):
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.conv_depth = nn.Conv2d(inputs, inputs, kernel, padding=padding, groups=inputs)
        self.conv_point = nn.Conv2d(inputs, outputs, 1)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.bn(self.conv_point(self.conv_depth(x))))


def halved(x: Tensor) -> Tensor:
    """Adaptive maxima over half as many rows and columns, rounded up. Where their number is odd, what is adaptive are
    squares of three that overlap by one. Sizes become numbers, for an exporter would have them be computed.
    """
    odd = [int(side) % 2 for side in x.shape[2:]]
    return functional.max_pool2d(x, [2 + it for it in odd], 2, odd)


class Audio(nn.Module):
    """`[clips, samples]` to vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.empty(WINDOW))
        self.fbsp = Filters()
        self.conv1, self.bn1 = conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        inputs = 64
        for number in range(len(BLOCKS)):
            inner, outputs = 128 << number, 256 << number
            setattr(self, f"layer{number + 1}", stage(number, inputs, inner, outputs, 32, False))
            kernel = (3, 1) if number % 2 == 0 else (1, 5)
            setattr(self, f"att{number + 1}", Attention(inputs, outputs, kernel))
            inputs = outputs
        self.att5 = Attention(inputs, inputs, (3, 5))
        self.fc = nn.Linear(inputs, DIMENSION)
        # Whether what depends on weights alone is made for every batch.
        self.as_published = False

    def prepare(self) -> None:
        """Makes what depends on weights alone."""
        self.register_buffer("basis", self.fbsp.basis(self.window.cpu().numpy()), persistent=False)

    def decibels(self, samples: Tensor) -> Tensor:
        """`[clips, 3, 341, frames]`. A frame is put together from hops, which are rows."""
        length = int(samples.shape[1])
        frames = 1 + max(0, math.ceil((length - WINDOW) / HOP))
        hops_a_frame = math.ceil(WINDOW / HOP)
        missing = (frames - 1) * HOP + WINDOW - length
        unused = hops_a_frame * HOP - WINDOW
        scaled = (samples + 32768) * 2 / 65535 - 1
        padded = functional.pad(scaled, (missing // 2, missing - missing // 2 + unused))
        hops = padded.unflatten(1, (frames - 1 + hops_a_frame, HOP))
        pieces = [hops[:, at : at + frames] for at in range(hops_a_frame)]
        basis = self.fbsp.rebuilt(self.window) if self.as_published else self.basis
        spectrum = torch.cat(pieces, 2)[:, :, :WINDOW] @ basis
        power = spectrum[..., :BINS].square() + spectrum[..., BINS:].square()
        power = torch.where(power > 0, power, POWER_OF_SILENCE)
        return (10 * power.log10()).transpose(1, 2).unflatten(1, (BANDS, BAND_ROWS))

    def body(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, len(BLOCKS) + 1):
            pooled = x if number == 1 else halved(x)
            x = getattr(self, f"layer{number}")(x) * getattr(self, f"att{number}")(pooled)
        weights = self.att5(x.amax((2, 3), keepdim=True))
        return self.fc((x.mean((2, 3), keepdim=True) * weights).flatten(1))

    def forward(self, samples: Tensor) -> Tensor:
        """Decibels are as precise as the basis; the body is as precise as its weights."""
        image = self.decibels(samples).to(self.fc.weight.dtype)
        return self.body(image.contiguous(memory_format=self.layout()))

    def layout(self) -> torch.memory_format:
        kept = self.conv1.weight.is_contiguous()
        return torch.contiguous_format if kept else torch.channels_last


class TextBlock(nn.Module):
    """Attention to what came before, and two layers for each position."""

    def __init__(self) -> None:
        super().__init__()
        width = TEXT_WIDTH
        self.attn = nn.Module()
        self.attn.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.attn.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.attn.out_proj = nn.Linear(width, width)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Module()
        self.mlp.c_fc, self.mlp.c_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        packed = functional.linear(self.ln_1(x), self.attn.in_proj_weight, self.attn.in_proj_bias)
        query, keys, values = (split_heads(it) for it in packed.chunk(3, 2))
        attended = functional.scaled_dot_product_attention(query, keys, values, is_causal=True)
        x = x + self.attn.out_proj(join_heads(attended))
        hidden = self.mlp.c_fc(self.ln_2(x))
        return x + self.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))


class AudioClip(nn.Module):
    """All of it; the text tower has no name of its own in a checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(CONTEXT, TEXT_WIDTH))
        self.text_projection = nn.Parameter(torch.empty(TEXT_WIDTH, DIMENSION))
        for name in ("logit_scale", "logit_scale_ai", "logit_scale_at"):
            setattr(self, name, nn.Parameter(torch.tensor(math.log(100))))
        self.visual = Visual()
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(*(TextBlock() for _ in range(TEXT_LAYERS)))
        self.token_embedding = nn.Embedding(VOCABULARY, TEXT_WIDTH)
        self.ln_final = nn.LayerNorm(TEXT_WIDTH)
        self.audio = Audio()

    def text(self, ids: Tensor) -> Tensor:
        """`[prompts, positions]` of token ids to vectors; the end marker has the largest id."""
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        x = self.ln_final(self.transformer.resblocks(x))
        return x[torch.arange(len(ids), device=ids.device), ids.argmax(1)] @ self.text_projection
