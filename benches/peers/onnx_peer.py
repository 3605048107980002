"""ONNX Runtime: inference with the graph of the update and its hand-derived tangent, exported from
the PyTorch peer."""

import os
import sys
from pathlib import Path

import onnxruntime
import torch
import torch_peer
from protocol import point_errors, serve
from torch_peer import POINTS, Law

# The runtime has no softplus in f64.
torch_peer.softplus = lambda x: torch.relu(x) + torch.log(1 + torch.exp(-x.abs()))


def prepare(task, dtype, form, arrays):
    points = arrays.points(dtype)
    parameters = {k: torch.from_numpy(v) for k, v in arrays.parameters(dtype).items()}
    inputs = tuple(map(torch.from_numpy, points))
    law = Law(task, parameters, constants=False).eval()
    model = Path(sys.argv[1], f"{task}-{dtype}.onnx")
    names = ["strain", "dt", "state"]
    torch.onnx.export(law, inputs, model, input_names=names, dynamo=True, verbose=False)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    options.inter_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model, options, providers=providers)
    # The rate-independent law does not read the time step.
    read = {i.name for i in session.get_inputs()}
    feed = {name: value for name, value in zip(names, points) if name in read}

    def call():
        return session.run(None, feed)

    def errors():
        stress, new, tangent = call()
        return point_errors(arrays, new, stress, tangent)

    return call, errors


def forms(task, dtype):
    return ["tangent graph"] if task[0] in POINTS else []


if __name__ == "__main__":
    serve("ONNX Runtime", onnxruntime.__version__, forms, prepare)
