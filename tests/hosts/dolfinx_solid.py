"""A solid of hexahedra in dolfinx, its cells shared out among the ranks of MPI, with a law of hysteron
at every integration point: each rank asks for its own points in one call.

    mpirun -n 2 python3 tests/hosts/dolfinx_solid.py LIBRARY LAW STEPS OUT.npz

Writes the nodes, their displacements, the iterations of each step and the cells of each rank.
"""

import sys
from pathlib import Path

import basix
import numpy as np
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI
from petsc4py import PETSc

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "scikit_fem"))

from library import Law  # noqa: E402

COUNTS, TOP = (3, 2, 2), (0.004, 0.001, 0.002)
PAIRS = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
DEGREE = 2


def mandel(u):
    strain = ufl.sym(ufl.grad(u))
    return ufl.as_vector([strain[i, j] * (1 if i == j else 2**0.5) for i, j in PAIRS])


def quadrature(body, components):
    """A function with so many components at each integration point."""
    element = ufl.VectorElement("Quadrature", body.ufl_cell(), DEGREE, dim=components, quad_scheme="default")
    return fem.Function(fem.FunctionSpace(body, element))


def solve(law, steps, tolerance=1e-13):
    comm = MPI.COMM_WORLD
    body = mesh.create_box(comm, [np.zeros(3), np.ones(3)], COUNTS, mesh.CellType.hexahedron)
    space = fem.VectorFunctionSpace(body, ("CG", 1))
    u, stress, tangent = fem.Function(space), quadrature(body, 6), quadrature(body, 36)
    dx = ufl.Measure("dx", body, metadata={"quadrature_degree": DEGREE, "quadrature_scheme": "default"})
    test, trial = ufl.TestFunction(space), ufl.TrialFunction(space)
    moduli = ufl.as_matrix([[tangent[6 * i + j] for j in range(6)] for i in range(6)])
    force = fem.form(ufl.dot(stress, mandel(test)) * dx)
    stiffness = fem.form(ufl.dot(ufl.dot(moduli, mandel(trial)), mandel(test)) * dx)

    # The points of the cells that this rank owns.
    cells = np.arange(body.topology.index_map(3).size_local, dtype=np.int32)
    places, _ = basix.make_quadrature(basix.CellType.hexahedron, DEGREE)
    strains = fem.Expression(mandel(u), places)
    points = stress.function_space.dofmap.list.array.reshape(-1, len(places))[cells].ravel()

    def ask():
        strain = strains.eval(cells).reshape(-1, 6).T
        answer = law.update(strain_old, strain, 1.0, state_old)
        stress.x.array.reshape(-1, 6)[points] = answer[0].T
        tangent.x.array.reshape(-1, 36)[points] = answer[1].reshape(36, -1).T
        return strain, answer[2]

    strain_old = np.zeros((6, len(points)))
    state_old = law.initial_state(len(points))
    low = fem.locate_dofs_geometrical(space, lambda x: np.isclose(x[2], 0.0))
    high = fem.locate_dofs_geometrical(space, lambda x: np.isclose(x[2], 1.0))
    moved = fem.Constant(body, np.zeros(3))
    held = [fem.dirichletbc(np.zeros(3), low, space), fem.dirichletbc(moved, high, space)]
    solver = PETSc.KSP().create(comm)
    solver.setType("preonly")
    solver.getPC().setType("lu")
    solver.getPC().setFactorSolverType("mumps")
    counts = []
    for step in range(1, steps + 1):
        moved.value[:] = np.array(TOP) * step / steps
        for iteration in range(30):
            strain, state = ask()
            matrix = fem.petsc.assemble_matrix(stiffness, bcs=held)
            matrix.assemble()
            right = fem.petsc.assemble_vector(force)
            fem.petsc.apply_lifting(right, [stiffness], [held], x0=[u.vector], scale=-1.0)
            right.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
            fem.petsc.set_bc(right, held, u.vector, -1.0)
            solver.setOperators(matrix)
            change = right.duplicate()
            solver.solve(right, change)
            u.vector.axpy(-1.0, change)
            u.x.scatter_forward()
            if iteration and change.norm() < tolerance:
                break
        else:
            raise RuntimeError(f"step {step} does not converge")
        strain_old, state_old = ask()
        counts.append(iteration + 1)

    own = space.dofmap.index_map.size_local
    gathered = comm.gather((space.tabulate_dof_coordinates()[:own], u.x.array[: 3 * own].reshape(-1, 3), len(cells)))
    return gathered and [np.concatenate([g[k] for g in gathered]) for k in (0, 1)] + [counts, [g[2] for g in gathered]]


if __name__ == "__main__":
    library, path, steps, out = sys.argv[1:]
    result = solve(Law(library, path, 6), int(steps))
    if result:
        np.savez(out, **dict(zip(("nodes", "displacement", "iterations", "cells"), result)))
