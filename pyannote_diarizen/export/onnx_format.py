# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""ONNX: written by the exporter of torch that captures graphs, run by ONNX Runtime."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from pyannote.audio.core.model import Model
from torch import Tensor, nn

from pyannote_diarizen.export import graphs, spectra
from pyannote_diarizen.export.exporter import Exporter, Runner, quiet
from pyannote_diarizen.export.graphs import Graph, build_graph

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class ONNXLSTM(nn.Module):
    """Recurrent layers as `LSTM` nodes of ONNX.

    Tracing of an LSTM of torch unrolls its frames, so that the length of the input
    would be fixed. This module can be traced, but not run.

    Parameters
    ----------
    lstm : nn.LSTM
    """

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        if lstm.proj_size or not lstm.bias:
            raise ValueError(
                "LSTM with projections or without bias cannot be exported."
            )
        self.hidden_size, self.batch_first = lstm.hidden_size, lstm.batch_first
        self.directions = 2 if lstm.bidirectional else 1
        self.num_layers = lstm.num_layers
        for layer in range(lstm.num_layers):
            for name, values in _weights_of_layer(lstm, layer).items():
                self.register_buffer(f"{name}{layer}", values)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Map (batch, num_frames, num_features) to (batch, num_frames, width)."""
        x = x.transpose(0, 1) if self.batch_first else x
        num_frames, batch, _ = x.shape
        for layer in range(self.num_layers):
            weights = [getattr(self, f"{name}{layer}") for name in "WRB"]
            y = torch.onnx.ops.symbolic(
                "LSTM",
                [x, *weights],
                {
                    "hidden_size": self.hidden_size,
                    "direction": ("forward", "bidirectional")[self.directions - 1],
                },
                dtype=x.dtype,
                shape=(num_frames, self.directions, batch, self.hidden_size),
            )
            x = y.transpose(1, 2).flatten(2)  # directions side by side
        return (x.transpose(0, 1) if self.batch_first else x), None


def _weights_of_layer(lstm: nn.LSTM, layer: int) -> dict[str, Tensor]:
    """Weights of input (W) and recurrence (R), and biases (B), of all directions."""

    def reordered(name: str, suffix: str) -> Tensor:
        # gates of torch: input, forget, cell, output; of ONNX: input, output, forget,
        # cell
        gates = getattr(lstm, f"{name}_l{layer}{suffix}").detach().chunk(4)
        return torch.cat([gates[0], gates[3], gates[1], gates[2]])

    suffixes = ["", "_reverse"] if lstm.bidirectional else [""]
    biases = [
        torch.cat([reordered("bias_ih", suffix), reordered("bias_hh", suffix)])
        for suffix in suffixes
    ]
    return {
        "W": torch.stack([reordered("weight_ih", suffix) for suffix in suffixes]),
        "R": torch.stack([reordered("weight_hh", suffix) for suffix in suffixes]),
        "B": torch.stack(biases),
    }


class ONNXExporter(Exporter):
    """Graphs of ONNX whose batch and length are dynamic."""

    suffix = ".onnx"
    packages: ClassVar = {name: name for name in ("onnx", "onnxscript", "onnxruntime")}
    precisions: ClassVar[tuple[str, ...]] = ("float32", "float16", "int8")

    def write(self, model: Model, path: Path, precision: str) -> None:
        """Write the graph of a model."""
        import onnx

        graph = build_graph(model)
        _replace_lstm(graph)
        captured = _capture(graph)
        if precision == "float16":
            captured = _to_float16(captured)
        elif precision == "int8":
            captured = _to_int8(captured, path)
        _describe(captured, graph)
        path.write_bytes(captured.SerializeToString())
        onnx.checker.check_model(str(path))

    def providers(self, device: torch.device) -> list[str]:
        """Return the names of the components of ONNX Runtime for a device."""
        provider = _PROVIDERS.get(device.type)
        _check_provider(provider, "use the CPU, or pip install onnxruntime-gpu")
        return [str(provider)]

    def open(self, path: Path, device: torch.device) -> Runner:
        """Open a session of ONNX Runtime."""
        import onnxruntime

        providers = self.providers(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors, which are also raised
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=providers
            )
        except Exception as error:
            raise ValueError(_unreadable(path, error)) from error
        names = [each.name for each in session.get_inputs()]

        def run(*inputs: Tensor) -> Tensor:
            arrays = [each.float().cpu().numpy() for each in inputs]
            (output,) = session.run(None, dict(zip(names, arrays, strict=True)))
            return torch.from_numpy(np.asarray(output)).to(inputs[0].device)

        return run


class TensorRTExporter(ONNXExporter):
    """Graphs of ONNX that ONNX Runtime computes by TensorRT, on an NVIDIA GPU."""

    precisions: ClassVar[tuple[str, ...]] = ("float32", "float16")
    provider = "TensorrtExecutionProvider"

    def check(self, precision: str | None = None) -> str:
        """Check packages and precision, and that TensorRT is there."""
        precision = super().check(precision)
        remedy = "on a machine with an NVIDIA GPU, pip install onnxruntime-gpu tensorrt"
        _check_provider(self.provider, remedy)
        return precision

    def providers(self, device: torch.device) -> list[str]:
        """Return TensorRT, and CUDA for operators that it lacks."""
        return [self.provider, _PROVIDERS["cuda"]]


def _check_provider(provider: str | None, remedy: str) -> None:
    """Raise a `ValueError` if the installed ONNX Runtime lacks a provider."""
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if provider not in available:
        raise ValueError(
            f"The installed ONNX Runtime computes by {', '.join(available)} only, not "
            f"by {provider or 'this device'}: {remedy}."
        )


def _unreadable(path: Path, error: Exception) -> str:
    return f"'{path}' cannot be opened by ONNX Runtime, export it again: {error}"


def _replace_lstm(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.LSTM):
            setattr(module, name, ONNXLSTM(child))
        else:
            _replace_lstm(child)


def _capture(graph: Graph) -> Any:
    """Return the `onnx.ModelProto` of a graph."""
    dynamic = torch.export.Dim.DYNAMIC
    shapes = tuple(dict.fromkeys(axes, dynamic) for axes in graph.axes.values())
    try:
        with quiet():
            program = torch.export.export(
                graph, graph.example(graph.model), dynamic_shapes=shapes, strict=False
            )
            captured = torch.onnx.export(
                program,
                dynamo=True,
                input_names=list(graph.axes),
                output_names=[graph.output],
                dynamic_shapes=tuple(graph.axes.values()),
                verbose=False,
            )
    except Exception as error:
        raise ValueError(_cannot_leave(graph, error)) from error
    return cast(torch.onnx.ONNXProgram, captured).model_proto


def _cannot_leave(graph: Graph, error: BaseException) -> str:
    """Name the operator that stopped an export."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    text = str(causes[-1]) or type(causes[-1]).__name__
    operator = re.search(r"\baten[.:\w]+|\bprims[.:\w]+", text)
    reason = operator[0] if operator else text.strip().splitlines()[0]
    return f"{type(graph.model).__name__} cannot be exported to ONNX: {reason}"


def _describe(model: Any, graph: Graph) -> None:
    """Set the names of axes of inputs and outputs, which optimisers may lose."""
    for value in model.graph.input:
        for axis, name in graph.axes[value.name].items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    model.producer_name = "pyannote-diarizen"


def _to_float16(model: Any) -> Any:
    """Convert to half precision, except the front end and both ends of the graph."""
    from onnxruntime.transformers.float16 import (
        DEFAULT_OP_BLOCK_LIST,
        convert_float_to_float16,
    )
    from onnxruntime.transformers.onnx_model import OnnxModel

    # `InstanceNormalization` of waveforms: their level may be any
    in_float32 = [*DEFAULT_OP_BLOCK_LIST, "InstanceNormalization"]
    if any(node.op_type == "LSTM" for node in model.graph.node):
        # in float16 beside an LSTM, they make ONNX Runtime 1.32 crash on the CPU
        in_float32.append("Transpose")
    with quiet():
        converted = OnnxModel(
            convert_float_to_float16(
                model,
                keep_io_types=True,
                op_block_list=in_float32,
                node_block_list=_names_of_float32(model.graph.node),
            )
        )
        converted.topological_sort()
    _skip_round_trips(converted.model.graph)
    return converted.model


def _skip_round_trips(graph: Any) -> None:
    """Connect float32 nodes directly, where the converter casts down and up again."""
    import onnx

    def casts(precision: int) -> dict[str, str]:
        return {
            node.output[0]: node.input[0]
            for node in graph.node
            if node.op_type == "Cast" and node.attribute[0].i == precision
        }

    down = casts(onnx.TensorProto.FLOAT16)
    up = {
        output: down[input_]
        for output, input_ in casts(onnx.TensorProto.FLOAT).items()
        if input_ in down
    }
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = up.get(name, name)


def _names_of_float32(nodes: Iterable[Any]) -> list[str]:
    """Names of nodes that need the range of float32: spectrograms and pooling."""

    def innermost_module(node: Any) -> str:
        for each in node.metadata_props:
            if each.key == "pkg.torch.onnx.class_hierarchy":
                # modules from the outermost, then the operator
                return ast.literal_eval(each.value)[-2:][0]
        return ""

    return [
        node.name
        for node in nodes
        if innermost_module(node).startswith((spectra.__name__, graphs.__name__))
    ]


def _to_int8(model: Any, path: Path) -> Any:
    """Quantize weights to 8 bits, and activations in each pass."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    stored = {each.name for each in model.graph.initializer}
    # weights that are computed, as those with weight normalisation
    computed = [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and node.input[1] not in stored
    ]
    temporary = path.with_name(f"{path.stem}-int8{path.suffix}")
    try:
        with quiet("root"):
            quantize_dynamic(
                model,
                temporary,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=_names_of_float32(model.graph.node) + computed,
            )
        return onnx.load(str(temporary))
    finally:
        temporary.unlink(missing_ok=True)
