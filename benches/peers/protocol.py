"""What every Python peer shares: requests on standard input, timing, and the check of the answers.

A request is one line, the reply is one line of JSON:

    forms TASK DTYPE                 the forms in which the peer offers a task
    check TASK DTYPE 0 FORM          largest relative error of each answer against hysteron's
    time  TASK DTYPE SECONDS FORM    median seconds of a call, and the number of samples
"""

import json
import math
import sys
import time
import traceback
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


class Skip(Exception):
    """A form that is left out, and why."""


class Arrays(dict):
    """Inputs, parameters and answers of a task, as `tasks.rs` wrote them."""

    def parameters(self, dtype):
        """Name of each parameter and its value; a bias has one dimension."""
        prefix = "parameter."
        named = {k.removeprefix(prefix): v for k, v in self.items() if k.startswith(prefix)}
        squeeze = lambda k, v: v[:, 0] if k.endswith(".bias") else v
        return {k: squeeze(k, v).astype(dtype) for k, v in named.items()}

    def histories(self, dtype):
        """Strain with the time step `[rows, records, 7]`, target stress `[rows, records, 6]`."""
        strain = self["strain"].transpose(0, 2, 1)
        inputs = np.concatenate([strain, self["dt"][:, :, None]], axis=2)
        target = self["target"].transpose(0, 2, 1)
        return np.ascontiguousarray(inputs, dtype), np.ascontiguousarray(target, dtype)

    def points(self, dtype):
        """Strain `[points, 6]`, time step `[points, 1]`, state `[points, states]`."""
        rows = self["strain"].T, self["dt"][:, None], self["state"].T
        return tuple(np.ascontiguousarray(r, dtype) for r in rows)


def error(found, expected):
    """`max |found − expected| / max |expected|`."""
    found = np.asarray(found, dtype=np.float64).reshape(expected.shape)
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    return float(difference) if math.isfinite(difference) else 1e300


def gradient_errors(arrays, loss, gradient):
    """Errors of a training step's loss and of its gradient, a dictionary like the parameters."""
    prefix = "answer.gradient."
    expected = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    flat = lambda values: np.concatenate([np.ravel(values[k]) for k in sorted(expected)])
    return {
        "loss": error(loss, arrays["answer.loss"]),
        "gradient": error(flat(gradient), flat(expected)),
    }


def point_errors(arrays, state, stress, tangent):
    """Errors of `state [p, s]`, `stress [p, 6]` and `tangent [p, 6, 6]`."""
    return {
        "state": error(np.asarray(state).T, arrays["answer.state"]),
        "stress": error(np.asarray(stress).T, arrays["answer.stress"]),
        "tangent": error(np.asarray(tangent).transpose(1, 2, 0), arrays["answer.tangent"]),
    }


def sample(call, seconds):
    """Median seconds of a call, and the number of samples. `call.bundle` is how many it holds."""
    bundle = getattr(call, "bundle", 1)

    def timed():
        before = time.perf_counter()
        call()
        return (time.perf_counter() - before) / bundle

    samples, start = [timed()], time.perf_counter()
    # A short call was to warm up only.
    if samples[0] < seconds:
        samples.clear()
    while not samples or time.perf_counter() - start < seconds:
        samples.append(timed())
    return {"seconds": float(np.median(samples)), "samples": len(samples)}


def serve(peer, version, forms, prepare):
    """Answers requests until the input ends.

    `forms(task, dtype)` lists names of forms; `prepare(task, dtype, form, arrays)` returns a
    function that makes one call and a function that gives the errors of its answers.
    """
    directory = Path(sys.argv[1])
    replies, sys.stdout = sys.stdout, sys.stderr
    tell = lambda reply: print(json.dumps(reply), file=replies, flush=True)
    tell({"peer": peer, "version": version})
    ready, current = {}, None
    for line in sys.stdin:
        what, task, dtype, *rest = line.strip().split(" ", 4)
        try:
            if what == "forms":
                tell({"forms": forms(task, dtype)})
                continue
            seconds, form = float(rest[0]), rest[1]
            if current != (task, dtype):
                ready, current = {}, (task, dtype)
            before = time.perf_counter()
            if form not in ready:
                arrays = Arrays(load_file(directory / f"{task}.safetensors"))
                number = np.dtype({"f32": "float32", "f64": "float64"}[dtype])
                ready[form] = prepare(task, number, form, arrays)
            call, errors = ready[form]
            if what == "check":
                found = errors()
                tell({"errors": found, "prepared": time.perf_counter() - before})
            else:
                tell(sample(call, seconds))
        except Skip as reason:
            tell({"skipped": str(reason)})
        except Exception as failure:
            traceback.print_exc()
            first = (str(failure).splitlines() or [""])[0]
            tell({"failed": f"{type(failure).__name__}: {first}"})
