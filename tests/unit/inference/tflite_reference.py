"""Runs a TensorFlow Lite file layer by layer in numpy, channels last, sharing no code with the converter."""

from __future__ import annotations

import numpy as np
import tflite


def run(data: bytes, batch: np.ndarray) -> np.ndarray:
    model = tflite.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    values = {graph.Inputs(0): batch.astype(np.float64)}
    for i in range(graph.TensorsLength()):
        tensor = graph.Tensors(i)
        raw = model.Buffers(tensor.Buffer()).DataAsNumpy()
        if isinstance(raw, np.ndarray) and tensor.Type() == tflite.TensorType.FLOAT32:
            values[i] = raw.view("<f4").reshape(tensor.ShapeAsNumpy()).astype(np.float64)
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        code = model.OperatorCodes(operator.OpcodeIndex()).DeprecatedBuiltinCode()
        inputs = [values[each] for each in operator.InputsAsNumpy() if each in values]
        values[operator.Outputs(0)] = _layer(code, operator, inputs)
    return values[graph.Outputs(0)]


def _layer(code, operator, inputs):
    kinds = tflite.BuiltinOperator
    if code == kinds.RELU:
        return np.maximum(inputs[0], 0)
    if code == kinds.ABS:
        return np.abs(inputs[0])
    if code == kinds.SUB:
        return inputs[0] - inputs[1]
    if code == kinds.MUL:
        return inputs[0] * inputs[1]
    if code == kinds.ADD:
        return inputs[0] + inputs[1]
    if code == kinds.RESHAPE:
        return inputs[0].reshape(len(inputs[0]), -1)
    options = tflite.Conv2DOptions() if code == kinds.CONV_2D else tflite.DepthwiseConv2DOptions()
    options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
    return _convolve(*inputs, options.StrideH(), options.Padding() == tflite.Padding.SAME)


def _convolve(batch, filters, biases, stride, same):
    depthwise = (
        filters.shape[0] == 1
        and filters.shape[3] == batch.shape[3]
        and filters.shape[3] == len(biases)
    )
    side, kernel = batch.shape[1], filters.shape[1]
    out = -(-side // stride) if same else (side - kernel) // stride + 1
    missing = max((out - 1) * stride + kernel - side, 0) if same else 0
    pads = (missing // 2, missing - missing // 2)
    padded = np.pad(batch, ((0, 0), pads, pads, (0, 0)))
    total = np.zeros((len(batch), out, out, len(biases))) + biases
    for y in range(kernel):
        for x in range(kernel):
            window = padded[:, y : y + out * stride : stride, x : x + out * stride : stride]
            window = window[:, :out, :out]
            if depthwise:
                total += window * filters[0, y, x]
            else:
                total += window @ filters[:, y, x].T
    return total
