"""The C interface from Python: one call for all points of a mesh."""

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int32, c_size_t, c_void_p

import numpy as np


class Points(ctypes.Structure):
    """`hysteron_points` of include/hysteron.h."""

    _fields_ = [(name, c_size_t) for name in ("points", "components", "states", "externals")] + [
        (name, POINTER(c_double))
        for name in (
            "strain_old", "strain_new", "dt", "external_old", "external_new", "state_old",
            "state_new", "stress", "tangent", "stored_energy", "dissipation",
        )
    ] + [("status", POINTER(c_int32))]


class Law:
    """A law in one section; `path` None: the one beside the library."""

    def __init__(self, library, path, components):
        self.library = ctypes.CDLL(str(library))
        self.library.hysteron_last_error.restype = c_char_p
        self.library.hysteron_load.restype = c_void_p
        self.library.hysteron_load.argtypes = [c_char_p, c_size_t]
        self.library.hysteron_load_own.restype = c_void_p
        self.library.hysteron_load_own.argtypes = [c_size_t]
        self.library.hysteron_states.restype = c_size_t
        self.library.hysteron_states.argtypes = [c_void_p]
        self.library.hysteron_free.argtypes = [c_void_p]
        self.library.hysteron_initial_state.argtypes = [c_void_p, POINTER(c_double), c_size_t]
        self.library.hysteron_update.argtypes = [c_void_p, POINTER(Points), c_size_t]
        if path is None:
            self.law = self.library.hysteron_load_own(components)
        else:
            self.law = self.library.hysteron_load(str(path).encode(), components)
        if not self.law:
            raise RuntimeError(self.error())
        self.components = components
        self.states = self.library.hysteron_states(self.law)

    def __del__(self):
        if getattr(self, "law", None):
            self.library.hysteron_free(self.law)

    def error(self):
        return self.library.hysteron_last_error().decode()

    def initial_state(self, points):
        """Virgin states [states, points]."""
        state = np.zeros(self.states)
        pointer = state.ctypes.data_as(POINTER(c_double))
        self.check(self.library.hysteron_initial_state(self.law, pointer, self.states))
        return np.repeat(state[:, None], points, axis=1)

    def check(self, code):
        if code:
            raise RuntimeError(f"{code}: {self.error()}")

    def update(self, strain_old, strain_new, dt, state_old, threads=1):
        """Strains [components, points], states [states, points]; stress, tangent, new state."""
        n, points = self.components, strain_new.shape[1]
        arrays = {
            "strain_old": np.ascontiguousarray(strain_old, dtype=float),
            "strain_new": np.ascontiguousarray(strain_new, dtype=float),
            "dt": np.full(points, dt),
            "state_old": np.ascontiguousarray(state_old, dtype=float),
            "state_new": np.empty((self.states, points)),
            "stress": np.empty((n, points)),
            "tangent": np.empty((n, n, points)),
        }
        view = Points(points, n, self.states, 0)
        for name, array in arrays.items():
            setattr(view, name, array.ctypes.data_as(POINTER(c_double)))
        self.check(self.library.hysteron_update(self.law, ctypes.byref(view), threads))
        return arrays["stress"], arrays["tangent"], arrays["state_new"]
