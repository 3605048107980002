"""A UMAT in C++ (`umat.cpp`, -O3 -march=native), called for one point after the other.

One call of the library runs the loop over the points. For a single point the loop runs many times
over the same point, so that the call from Python does not count.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from protocol import point_errors, serve

REPEATS = 10_000
# Mandel to engineering shear strain, and to the shear stress of Voigt's order 11 22 33 12 13 23;
# the law does not tell one shear from another.
STRAIN = np.array([1, 1, 1, 2**0.5, 2**0.5, 2**0.5])
STRESS = np.array([1, 1, 1, 2**-0.5, 2**-0.5, 2**-0.5])
STATE = np.concatenate([STRAIN, [1], STRAIN])


def library():
    path = Path(sys.argv[1], "libumat.so")
    compiler = os.environ.get("CXX", "g++")
    flags = ["-O3", "-march=native", "-shared", "-fPIC"]
    source = Path(__file__).parent / "umat.cpp"
    subprocess.run([compiler, *flags, source, "-o", path], check=True)
    return ctypes.CDLL(str(path))


def prepare(task, dtype, form, arrays):
    function = library().points
    strain, _, state = arrays.points(dtype)
    count = len(strain)
    p = arrays.parameters(dtype)
    names = "young", "poisson", "yield", "isotropic", "kinematic"
    properties = np.array([float(p[name]) for name in names])
    repeats = REPEATS if count == 1 else 1
    inputs = [np.tile(v, (repeats, 1)) for v in (strain * STRAIN, state * STATE)]
    outputs = [np.empty((repeats * count, n)) for n in (13, 6, 36)]
    pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
    arguments = [ctypes.c_long(repeats * count), *map(pointer, [properties, *inputs, *outputs])]

    def call():
        function(*arguments)

    def errors():
        call()
        new, stress, tangent = (values[:count] for values in outputs)
        tangent = tangent.reshape(-1, 6, 6) / STRESS[:, None] / STRESS
        return point_errors(arrays, new / STATE, stress / STRESS, tangent)

    call.bundle = repeats
    return call, errors


def forms(task, dtype):
    return ["UMAT"] if task[0] == "C" and dtype == "f64" else []


if __name__ == "__main__":
    compiler = subprocess.run(["g++", "-dumpversion"], capture_output=True, text=True, check=True)
    serve("C++", compiler.stdout.strip(), forms, prepare)
