"""AudioCLIP's three towers, with the names and shapes that earmark's loader expects.

The dimensions are those of `dimensions.json`; everything else is fixed by the architecture. Outputs are not normalised.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class VisualBlock(nn.Module):
    """A bottleneck whose striding is done by average pooling."""

    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        self.stride = stride
        if stride > 1 or inputs != 4 * planes:
            conv = nn.Conv2d(inputs, 4 * planes, 1, bias=False)
            self.downsample = nn.ModuleDict({"0": conv, "1": nn.BatchNorm2d(4 * planes)})

    def pooled(self, x):
        return F.avg_pool2d(x, self.stride) if self.stride > 1 else x

    def forward(self, x):
        u = F.relu(self.bn1(self.conv1(x)))
        u = self.pooled(F.relu(self.bn2(self.conv2(u))))
        u = self.bn3(self.conv3(u))
        if hasattr(self, "downsample"):
            x = self.downsample["1"](self.downsample["0"](self.pooled(x)))
        return F.relu(u + x)


class AttentionPool(nn.Module):
    """Multi-head attention of the mean over all positions."""

    def __init__(self, side, channels, heads, outputs):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(side * side + 1, channels) / channels**0.5)
        self.q_proj = nn.Linear(channels, channels)
        self.k_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.c_proj = nn.Linear(channels, outputs)
        self.heads = heads

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(1, keepdim=True), x], 1) + self.positional_embedding
        batch, tokens, channels = x.shape
        split = lambda t: t.reshape(batch, -1, self.heads, channels // self.heads).transpose(1, 2)
        q, k, v = split(self.q_proj(x[:, :1])), split(self.k_proj(x)), split(self.v_proj(x))
        pooled = F.scaled_dot_product_attention(q, k, v)
        return self.c_proj(pooled.transpose(1, 2).reshape(batch, channels))


class VisualTower(nn.Module):
    """`[batch, 3, 224, 224]`, CLIP-normalised RGB."""

    def __init__(self, dimensions, outputs):
        super().__init__()
        width = dimensions["width"]
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        channels = width
        for stage, count in enumerate(dimensions["layers"]):
            planes = width << stage
            blocks = []
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(VisualBlock(channels, planes, stride))
                channels = 4 * planes
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        side = dimensions["resolution"] // 32
        self.attnpool = AttentionPool(side, channels, dimensions["heads"], outputs)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.avg_pool2d(F.relu(self.bn3(self.conv3(x))), 2)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return self.attnpool(x)


class AudioBlock(nn.Module):
    """A bottleneck with a grouped convolution, which does the striding."""

    def __init__(self, inputs, inner, stride, groups):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, 2 * inner, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(2 * inner)
        if stride > 1 or inputs != 2 * inner:
            conv = nn.Conv2d(inputs, 2 * inner, 1, stride=stride, bias=False)
            self.downsample = nn.ModuleDict({"0": conv, "1": nn.BatchNorm2d(2 * inner)})

    def forward(self, x):
        u = F.relu(self.bn1(self.conv1(x)))
        u = F.relu(self.bn2(self.conv2(u)))
        u = self.bn3(self.conv3(u))
        if hasattr(self, "downsample"):
            x = self.downsample["1"](self.downsample["0"](x))
        return F.relu(u + x)


class Gate(nn.Module):
    """What goes into a stage decides how much of what comes out is kept."""

    def __init__(self, inputs, outputs, kernel):
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.conv_depth = nn.Conv2d(inputs, inputs, kernel, padding=padding, groups=inputs)
        self.conv_point = nn.Conv2d(inputs, outputs, 1)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x, size):
        if x.shape[2:] != size:
            x = F.adaptive_max_pool2d(x, size)
        return torch.sigmoid(self.bn(self.conv_point(self.conv_depth(x))))


class Fbsp(nn.Module):
    """The parameters of the front-end, at their untrained defaults: a plain complex exponential each."""

    def __init__(self, filters):
        super().__init__()
        self.register_buffer("m", torch.zeros(filters))
        self.register_buffer("fb", torch.ones(filters))
        self.register_buffer("fc", torch.arange(filters).float())
        self.register_buffer("bias", torch.zeros(0))


class AudioTower(nn.Module):
    """`[batch, 3, 341, frames]` in decibels over `SCALE`."""

    # Keeps the activations of the first layer near 1; folded into its weights when the model is written.
    SCALE = 20.0

    def __init__(self, dimensions, outputs):
        super().__init__()
        width, groups = dimensions["width"], dimensions["groups"]
        self.register_buffer("window", torch.from_numpy(blackman_harris(dimensions["window_samples"])))
        self.fbsp = Fbsp(dimensions["n_fft"] // 2 + 1)
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage, count in enumerate(dimensions["layers"]):
            inner = (2 * width) << stage
            kernel = (3, 1) if stage % 2 == 0 else (1, 5)
            setattr(self, f"att{stage + 1}", Gate(channels, 2 * inner, kernel))
            blocks = []
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(AudioBlock(channels, inner, stride, groups))
                channels = 2 * inner
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.att5 = Gate(channels, channels, (3, 5))
        self.fc = nn.Linear(channels, outputs)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        for stage in range(1, 5):
            out = getattr(self, f"layer{stage}")(x)
            x = out * getattr(self, f"att{stage}")(x, out.shape[2:])
        pooled = x.mean((2, 3)) * self.att5(x, (1, 1)).flatten(1)
        return self.fc(pooled)


class TextAttention(nn.Module):
    """Causal self-attention with packed projections."""

    def __init__(self, width, heads):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        self.heads = heads

    def forward(self, x):
        batch, tokens, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        split = lambda t: t.reshape(batch, tokens, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = (split(t) for t in qkv.chunk(3, -1))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class TextBlock(nn.Module):
    """A residual block of the transformer."""

    def __init__(self, width, heads):
        super().__init__()
        self.attn = TextAttention(width, heads)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        hidden = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](hidden * torch.sigmoid(1.702 * hidden))


class Model(nn.Module):
    """All towers and the three logit scales."""

    def __init__(self, dimensions):
        super().__init__()
        text, outputs = dimensions["text"], dimensions["embed_dim"]
        width = text["width"]
        self.token_embedding = nn.Embedding(text["vocab"], width)
        # Words that are never taught keep a small vector, so that they disturb as little as possible.
        nn.init.normal_(self.token_embedding.weight, std=0.002)
        self.positional_embedding = nn.Parameter(torch.randn(text["context"], width) * 0.002)
        self.transformer = nn.ModuleDict(
            {"resblocks": nn.Sequential(*(TextBlock(width, text["heads"]) for _ in range(text["layers"])))}
        )
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, outputs) * width**-0.5)
        self.visual = VisualTower(dimensions["visual"], outputs)
        self.audio = AudioTower(dimensions["audio"], outputs)
        for name in ("logit_scale", "logit_scale_ai", "logit_scale_at"):
            setattr(self, name, nn.Parameter(torch.tensor(math.log(14.0))))

    def text(self, ids):
        """`[batch, positions]` of ids; the embedding is taken at the largest, which ends the text."""
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        x = self.ln_final(self.transformer["resblocks"](x))
        return x[torch.arange(len(ids)), ids.argmax(1)] @ self.text_projection

    def checkpoint(self):
        """The state dict as AudioCLIP's checkpoints have it: decibels unscaled."""
        state = {name: value.detach().clone() for name, value in self.state_dict().items()}
        state["audio.conv1.weight"] /= AudioTower.SCALE
        return state


def blackman_harris(samples):
    """The periodic four-term window in f64, rounded to f32."""
    n = 2 * np.pi * np.arange(samples) / samples
    window = 0.35875 - 0.48829 * np.cos(n) + 0.14128 * np.cos(2 * n) - 0.01168 * np.cos(3 * n)
    return window.astype(np.float32)
