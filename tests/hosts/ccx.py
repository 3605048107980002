"""CalculiX jobs: decks, runs and their results."""

import os
import subprocess
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Result:
    code: int
    log: str
    rows: np.ndarray = None
    """What *NODE PRINT and *EL PRINT wrote, row by row, and the iterations of each increment."""
    iterations: list = field(default_factory=list)
    increments: list = field(default_factory=list)
    attempts: list = field(default_factory=list)


def user(name, states, constants=(1.0,), interface="ABAQUS"):
    """The law of a library; `interface` ABAQUSNL asks in the logarithmic strain."""
    lines = [f"*MATERIAL,NAME=@{interface}_{name}"]
    lines += [f"*USER MATERIAL,CONSTANTS={len(constants)}", ",".join(f"{c:g}" for c in constants)]
    if states:
        lines += ["*DEPVAR", str(states)]
    return f"@{interface}_{name}", lines


def deck(folder, mesh, material, supports, *, control="0.1,1.", direct=True, nonlinear=False, extra=(),
         steps_after=()):
    """Writes a deck; `material` is one of the whole mesh, or a list of them, each with its cells from 0;
    `supports` are node numbers from 0 and values for each held component, reached at time 1, or a list of
    values, the ends of as many steps; `extra` are further lines of the model, `steps_after` further
    steps."""
    materials = material if isinstance(material, list) else [(*material, range(len(mesh.cells)))]
    out = ["*NODE,NSET=ALL"]
    out += [f"{i + 1},{x:.12f},{y:.12f},{z:.12f}" for i, (x, y, z) in enumerate(mesh.nodes)]
    out.append("*ELEMENT,TYPE=C3D8,ELSET=BODY")
    out += [f"{e + 1}," + ",".join(str(n + 1) for n in cell) for e, cell in enumerate(mesh.cells)]
    for i, (nodes, _) in enumerate(supports):
        out.append(f"*NSET,NSET=S{i}")
        out += [f"{n + 1}," for n in nodes]
    for i, (name, lines, cells) in enumerate(materials):
        out += [f"*ELSET,ELSET=PART{i}", *(f"{e + 1}," for e in cells), *lines]
        out.append(f"*SOLID SECTION,ELSET=PART{i},MATERIAL={name}")
    out += [*extra, "*AMPLITUDE,NAME=RAMP", "0.,0.,1.,1."]
    steps = max(np.size(v) for _, values in supports for v in values.values())
    for step in range(steps):
        out += ["*STEP,INC=1000,NLGEOM" if nonlinear else "*STEP,INC=1000"]
        out += ["*STATIC,DIRECT" if direct else "*STATIC", control]
        # A step of many goes from the end of the one before.
        out += ["*BOUNDARY,AMPLITUDE=RAMP" if steps == 1 else "*BOUNDARY"]
        for i, (_, values) in enumerate(supports):
            out += [f"S{i},{c + 1},{c + 1},{np.ravel(v)[step]:.12g}" for c, v in values.items()]
        out += ["*NODE PRINT,NSET=ALL", "U", "*EL PRINT,ELSET=BODY", "S", "*END STEP"]
    out += steps_after
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.inp").write_text("\n".join(out) + "\n")
    return folder


def run(program, folder, job="job", libraries=".", threads=1, timeout=600):
    environment = dict(os.environ, LD_LIBRARY_PATH=str(libraries), OMP_NUM_THREADS=str(threads))
    done = subprocess.run(
        [program, "-i", job], cwd=folder, env=environment,
        capture_output=True, text=True, timeout=timeout, check=False,
    )
    result = Result(done.returncode, done.stdout + done.stderr)
    data = folder / f"{job}.dat"
    if data.is_file():
        rows = [line.split() for line in data.read_text().splitlines()]
        rows = [[float(v) for v in row] for row in rows if row and row[0].isdigit()]
        result.rows = rows
    status = folder / f"{job}.sta"
    if status.is_file():
        lines = [line.split() for line in status.read_text().splitlines()]
        lines = [line for line in lines if line and line[0].isdigit()]
        # An attempt that did not converge bears a U.
        result.attempts = [int(line[2].rstrip("U")) for line in lines]
        lines = [line for line in lines if not line[2].endswith("U")]
        result.increments = [float(line[-1]) for line in lines]
        result.iterations = [int(line[3]) for line in lines]
    return result


def differs(a, b):
    """The largest difference of two results, over the largest entry."""
    assert len(a.rows) == len(b.rows), (len(a.rows), len(b.rows))
    one, other = (np.concatenate([np.array(row[1:]) for row in r.rows]) for r in (a, b))
    return np.abs(one - other).max() / np.abs(other).max()
