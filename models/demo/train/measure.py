"""How well a model in training does on what is held out. The figures that count are those of `earmark eval world`."""

import numpy as np
import torch
import torch.nn.functional as F

from data import OFFSET, WINDOW_FRAMES, bands, normalised, padded
from towers import AudioTower


@torch.no_grad()
def measured(model, data):
    """The five figures on synthesised and, where there are recordings held out, on recorded sounds."""
    model.eval()
    texts = F.normalize(torch.cat([model.text(padded([words["name"]])) for words in data.index["captions"]]), dim=-1)
    painted = [(concept, row) for concept, rows in enumerate(data.painted_held_out) for row in rows[:8]]
    pixels = torch.from_numpy(np.stack([data.pictures[row] for _, row in painted])).float() / 255
    pictures = F.normalize(torch.cat([model.visual(normalised(part)) for part in pixels.split(32)]), dim=-1)
    pictured = torch.tensor([concept for concept, _ in painted])
    result = {"text_image": precision(texts, torch.arange(len(texts)), pictures, pictured)}
    for name, held_out in (("world", data.made_held_out), ("recorded", data.real_held_out)):
        present = [concept for concept, rows in enumerate(held_out) if rows]
        if present:
            figures = of(model, data, held_out, present, texts, pictures, pictured)
            result |= {f"{name}_{key}": value for key, value in figures.items()}
    return result


def of(model, data, held_out, present, texts, pictures, pictured):
    rows = [(concept, row) for concept in present for row in held_out[concept]]
    heard = torch.tensor([concept for concept, _ in rows])
    sounds = torch.cat([sound(model, data.sound(row)) for _, row in rows])
    chosen = torch.tensor(present)
    visible = torch.isin(pictured, chosen)
    asked = [(concept, ids) for concept in present for ids in data.index["captions"][concept]["paraphrases"]]
    rephrased = F.normalize(torch.cat([model.text(padded([ids])) for _, ids in asked]), dim=-1)
    nearest = chosen[(sounds @ texts[chosen].T).argmax(1)]
    per_concept = {data.concepts[c]: round((nearest[heard == c] == c).float().mean().item(), 2) for c in present}
    return {
        "text_audio": precision(texts[chosen], chosen, sounds, heard),
        "audio_text": round((nearest == heard).float().mean().item(), 3),
        "audio_image": precision(sounds, heard, pictures[visible], pictured[visible]),
        "image_audio": precision(pictures[visible], pictured[visible], sounds, heard),
        "paraphrase": precision(rephrased, torch.tensor([concept for concept, _ in asked]), sounds, heard),
        "worst": dict(sorted(per_concept.items(), key=lambda it: it[1])[:6]),
    }


def sound(model, features):
    x = torch.from_numpy(np.array(features[:WINDOW_FRAMES]))[None].float() - OFFSET
    return F.normalize(model.audio(bands(x) / AudioTower.SCALE), dim=-1)


def precision(queries, wanted, gallery, found, k=5):
    """Mean share of the k nearest that are of the query's concept."""
    nearest = found[(queries @ gallery.T).topk(min(k, len(gallery)), dim=1).indices]
    return round((nearest == wanted[:, None]).float().mean().item(), 3)
