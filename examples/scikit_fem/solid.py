"""A solid of hexahedra in scikit-fem, with a law of hysteron at every integration point: one call for
all of them in each Newton iteration.

    cargo rustc --release --no-default-features --features capi --crate-type cdylib
    pip install scikit-fem scipy
    python examples/scikit_fem/solid.py [LAW.safetensors|CARD.toml]
"""

import os
import sys
from pathlib import Path

import numpy as np
from scipy.sparse.linalg import spsolve
from skfem import Basis, BilinearForm, ElementHex1, ElementVector, LinearForm, MeshHex, asm

from library import Law

ROOT = Path(__file__).resolve().parents[2]
# Tensor indices and weights of the six Kelvin-Mandel components.
PAIRS = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
WEIGHTS = [1, 1, 1, 2**0.5, 2**0.5, 2**0.5]
# Where scikit-fem's corners of a hexahedron stand in VTK's order.
CORNERS = [0, 4, 3, 1, 7, 5, 2, 6]


def mandel(gradient):
    """The strain of a displacement gradient [3, 3, …]."""
    return [0.5 * w * (gradient[i, j] + gradient[j, i]) for (i, j), w in zip(PAIRS, WEIGHTS)]


@BilinearForm
def stiffness(u, v, w):
    e, d = mandel(u.grad), mandel(v.grad)
    return sum(d[i] * w["tangent"][i, j] * e[j] for i in range(6) for j in range(6))


@LinearForm
def internal_force(v, w):
    d = mandel(v.grad)
    return sum(d[i] * w["stress"][i] for i in range(6))


def solve(law, nodes, cells, low, high, top, steps, tolerance=1e-13, talk=False):
    """Holds the nodes `low` and moves the nodes `high` by `top` in even steps; returns the
    displacements [nodes, 3] at the end. Cells are in the order of VTK."""
    cells = np.asarray(cells)[:, CORNERS]
    mesh = MeshHex(nodes.T, cells.T, sort_t=False)
    basis = Basis(mesh, ElementVector(ElementHex1()), intorder=2)
    shape = basis.dx.shape

    held = basis.nodal_dofs[:, np.concatenate([low, high])].ravel()
    free = np.setdiff1d(np.arange(basis.N), held)
    moved = basis.nodal_dofs[:, high]

    u = np.zeros(basis.N)
    strain_old = np.zeros((6, shape[0] * shape[1]))
    state_old = law.initial_state(strain_old.shape[1])
    for step in range(1, steps + 1):
        change = np.zeros(basis.N)
        change[moved] = (np.asarray(top) / steps)[:, None]
        for iteration in range(30):
            gradient = basis.interpolate(u).grad
            strain = np.array(mandel(gradient)).reshape(6, -1)
            stress, tangent, state = law.update(strain_old, strain, 1.0, state_old)
            fields = {"stress": stress.reshape(6, *shape), "tangent": tangent.reshape(6, 6, *shape)}
            matrix = asm(stiffness, basis, **fields).tocsc()
            force = asm(internal_force, basis, **fields)
            # The prescribed change of the boundary comes with the first iteration.
            du = change if iteration == 0 else np.zeros(basis.N)
            du[free] = -spsolve(matrix[free][:, free], (force + matrix @ du)[free])
            u += du
            correction = np.linalg.norm(du[free])
            if talk:
                print(f"step {step}, iteration {iteration + 1}: |du| = {correction:.2e}")
            if iteration and correction < tolerance:
                break
        else:
            raise RuntimeError(f"step {step} does not converge")
        strain = np.array(mandel(basis.interpolate(u).grad)).reshape(6, -1)
        _, _, state_old = law.update(strain_old, strain, 1.0, state_old)
        strain_old = strain
    return u[basis.nodal_dofs].T


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else ROOT / "examples/scikit_fem/steel.toml"
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    law = Law(target / "release" / "libhysteron.so", path, 6)
    mesh = MeshHex().refined(2)
    nodes = mesh.p.T
    cells = mesh.t.T[:, np.argsort(CORNERS)]
    low, high = np.flatnonzero(nodes[:, 2] == 0), np.flatnonzero(nodes[:, 2] == 1)
    u = solve(law, nodes, cells, low, high, [0.004, 0.001, 0.002], 5, talk=True)
    print(f"{8 * len(cells)} integration points, largest displacement {np.abs(u).max():.6f}")


if __name__ == "__main__":
    main()
