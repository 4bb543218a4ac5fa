"""ONNX Runtime, with the same modules exported: in f32, and with convolutions in int8."""

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

import weights
from data import unit
from embedders import Vectors, timed
from inputs import Inputs, pictures, sounds

OPSET = 17
# Of the inputs from which the ranges of activations are taken.
EXAMPLES = 4
FIRST_EXAMPLE = 2_000
KINDS = ("audio", "image")


class Onnx:
    """One session for each tower that has been exported. There is none for text."""

    def __init__(self, name: str, files: dict[str, Path], threads: int):
        self.name = name
        self.sessions = {kind: session(str(path), threads) for kind, path in files.items()}

    def takes(self, inputs: Inputs) -> bool:
        return inputs.kind in self.sessions

    def embed(self, inputs: Inputs, count: int) -> Vectors:
        return self.sessions[inputs.kind].run(None, {"x": inputs.values[:count]})[0]

    def seconds(self, inputs: Inputs, count: int, repeats: int) -> list[float]:
        return [timed(lambda: self.embed(inputs, count)) for _ in range(repeats)]

    def vectors(self, inputs: Inputs, count: int) -> Vectors:
        return unit(self.embed(inputs, count))


def session(model: str | bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait busily would be in the way of whoever is next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def exported(checkpoint: Path, work: Path) -> dict[str, Path]:
    """The towers with norms folded into convolutions; made once, and then kept."""
    files = {kind: work / f"{checkpoint.stem}-{kind}.onnx" for kind in KINDS}
    if not all(path.exists() for path in files.values()):
        model = weights.load(checkpoint)
        for kind, tower in (("audio", model.audio), ("image", model.visual)):
            with warnings.catch_warnings():
                # It says that there is another exporter, which needs more packages, and that sizes are constants.
                warnings.simplefilter("ignore")
                example = torch.from_numpy(examples(kind)[:2])
                unfinished = files[kind].with_suffix(".part")
                axes = {"x": {0: "count"}, "vectors": {0: "count"}}
                names = {"input_names": ["x"], "output_names": ["vectors"], "dynamic_axes": axes}
                torch.onnx.export(tower, (example,), str(unfinished), opset_version=OPSET, dynamo=False, **names)
            unfinished.rename(files[kind])
    return files


def quantised(files: dict[str, Path]) -> dict[str, Path]:
    """Convolutions in int8, a scale for each channel of their weights; the rest, decibels before all, in f32."""
    made = {}
    for kind, path in files.items():
        made[kind] = path.with_name(f"{path.stem}-int8.onnx")
        if not made[kind].exists():
            unfinished = made[kind].with_suffix(".part")
            quantize_static(
                str(path),
                str(unfinished),
                Examples(kind),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
            unfinished.rename(made[kind])
    return made


def examples(kind: str) -> np.ndarray:
    return (sounds if kind == "audio" else pictures)(EXAMPLES, FIRST_EXAMPLE)


class Examples(CalibrationDataReader):
    """One input after the other."""

    def __init__(self, kind: str):
        self.rest = iter(examples(kind))

    def get_next(self) -> dict[str, np.ndarray] | None:
        example = next(self.rest, None)
        return None if example is None else {"x": example[None]}


def gemm_session(size: int, threads: int) -> onnxruntime.InferenceSession:
    """Multiplies a square matrix by one that it knows."""
    shape = [size, size]
    left, product = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y"))
    values = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    right = helper.make_tensor("w", TensorProto.FLOAT, shape, values.tobytes(), raw=True)
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "gemm", [left], [product], [right])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    return session(model.SerializeToString(), threads)
