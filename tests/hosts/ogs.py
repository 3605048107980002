"""OpenGeoSys jobs: meshes, projects, runs and their results."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

PROGRAM = shutil.which("ogs", path=str(Path(sys.executable).parent)) or shutil.which("ogs")
HEXAHEDRON, QUADRILATERAL, VERTEX = 12, 9, 1


@dataclass
class Mesh:
    """Nodes [n, 3] and cells of one kind."""

    nodes: np.ndarray
    cells: np.ndarray
    kind: int

    @property
    def dimension(self):
        return 3 if self.kind == HEXAHEDRON else 2

    def where(self, chosen):
        """Numbers of the nodes that `chosen` picks of x, y, z."""
        return np.flatnonzero(chosen(*self.nodes.T))


def block(counts, sizes=(1.0, 1.0, 1.0), bend=0.0):
    """Hexahedra (three counts) or quadrilaterals (two); `bend` moves the inner nodes, so that no
    cell is a cuboid."""
    counts, sizes = list(counts), [*sizes[: len(counts)], 1.0][:3]
    axes = [np.linspace(0.0, size, n + 1) for n, size in zip(counts, sizes)]
    if len(axes) == 2:
        axes.append(np.zeros(1))
    x, y, z = (a.ravel(order="F") for a in np.meshgrid(*axes, indexing="ij"))
    inner = [np.sin(np.pi * a / s) if n.size > 1 else np.ones_like(a) for a, s, n in zip((x, y, z), sizes, axes)]
    shift = bend * inner[0] * inner[1] * inner[2]
    x, y = x + 0.7 * shift, y - shift
    if len(counts) == 3:
        z = z + 0.4 * shift
    across = [n + 1 for n in counts] + [1]

    def number(i, j, k=0):
        return i + across[0] * (j + across[1] * k)

    if len(counts) == 2:
        cells = [
            [number(i, j), number(i + 1, j), number(i + 1, j + 1), number(i, j + 1)]
            for j in range(counts[1])
            for i in range(counts[0])
        ]
        kind = QUADRILATERAL
    else:
        cells = [
            [number(i + a, j + b, k + c) for c in (0, 1) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
            for k in range(counts[2])
            for j in range(counts[1])
            for i in range(counts[0])
        ]
        kind = HEXAHEDRON
    return Mesh(np.column_stack([x, y, z]), np.array(cells), kind)


def notched_plate(n=6, radius=0.3):
    """A quarter of a plate, 1 by 2, with a hole around the origin."""
    rays = []
    for i in range(2 * n + 1):
        angle = 0.5 * np.pi * i / (2 * n)
        start = radius * np.array([np.cos(angle), np.sin(angle)])
        end = np.array([1.0, i / n]) if i <= n else np.array([(2 * n - i) / n, 1.0])
        grading = np.linspace(0.0, 1.0, n + 1) ** 1.5
        rays.append(start + grading[:, None] * (end - start))
    nodes = np.concatenate(rays)
    cells = [
        [i * (n + 1) + j, i * (n + 1) + j + 1, (i + 1) * (n + 1) + j + 1, (i + 1) * (n + 1) + j]
        for i in range(2 * n)
        for j in range(n)
    ]
    # The straight part above the square around the hole.
    base = [i * (n + 1) + n for i in range(n, 2 * n + 1)]
    previous = base
    for row in range(1, n + 1):
        first = len(nodes)
        height = 1.0 + row / n
        new = np.array([[nodes[b][0], height] for b in base])
        nodes = np.concatenate([nodes, new])
        current = list(range(first, first + len(base)))
        cells += [
            [previous[i + 1], previous[i], current[i], current[i + 1]] for i in range(len(base) - 1)
        ]
        previous = current
    return Mesh(np.column_stack([nodes, np.zeros(len(nodes))]), np.array(cells), QUADRILATERAL)


def write_mesh(path, nodes, cells, kind, bulk_nodes=None):
    def array(name, kind, values, components=1):
        text = " ".join(repr(v) for v in np.asarray(values).ravel().tolist())
        return (
            f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" '
            f'format="ascii">{text}</DataArray>'
        )

    data = "" if bulk_nodes is None else array("bulk_node_ids", "UInt64", bulk_nodes)
    width = cells.shape[1]
    path.write_text(
        '<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" '
        'byte_order="LittleEndian" header_type="UInt64"><UnstructuredGrid>'
        f'<Piece NumberOfPoints="{len(nodes)}" NumberOfCells="{len(cells)}">'
        f"<PointData>{data}</PointData><Points>{array('Points', 'Float64', nodes, 3)}</Points><Cells>"
        + array("connectivity", "Int64", cells)
        + array("offsets", "Int64", width * np.arange(1, len(cells) + 1))
        + array("types", "UInt8", np.full(len(cells), kind))
        + "</Cells></Piece></UnstructuredGrid></VTKFile>\n"
    )


@dataclass
class Support:
    """Displacements of nodes: one formula of t, x, y, z for each held component."""

    nodes: np.ndarray
    formulas: dict


@dataclass
class Result:
    code: int
    log: str
    """Fields [step, …] and the Newton corrections |dx| of every accepted step."""
    times: list = field(default_factory=list)
    fields: dict = field(default_factory=dict)
    corrections: list = field(default_factory=list)
    seconds: float = 0.0

    @property
    def iterations(self):
        return [len(step) for step in self.corrections]


def mfront(library, behaviour, unit=1.0):
    """The law beside a library, and its parameters."""
    relation = (
        f"<constitutive_relation><type>MFront</type><library>{library}</library>"
        f"<behaviour>{behaviour}</behaviour><material_properties>"
        '<material_property name="StressUnit" parameter="StressUnit"/></material_properties>'
        "</constitutive_relation>"
    )
    return relation, {"StressUnit": unit}


def named(kind, parameters, tags=None, extra=""):
    """A law of OpenGeoSys: each tag names a parameter."""
    tags = {name: name for name in parameters} if tags is None else tags
    tags = "".join(f"<{tag}>{name}</{tag}>" for tag, name in tags.items())
    return f"<constitutive_relation><type>{kind}</type>{tags}{extra}</constitutive_relation>", parameters


def ehlers(bulk, shear, yield_stress, hardening):
    """The law of Ehlers without its pressure terms: von Mises with linear hardening. Its measure of
    the stress is the norm of the deviator over √2, κ grows by h times the equivalent strain."""
    values = {
        "shear_modulus": shear,
        "bulk_modulus": bulk,
        "kappa": yield_stress / np.sqrt(3.0),
        "hardening_modulus": hardening / yield_stress,
        **{name: 0.0 for name in ("beta", "gamma", "alpha", "delta", "eps", "m")},
        **{name: 0.0 for name in ("alphap", "deltap", "epsp", "mp", "betap", "gammap")},
    }
    extra = (
        "<tangent_type>Plastic</tangent_type><nonlinear_solver>"
        "<maximum_iterations>100</maximum_iterations>"
        "<residuum_tolerance>1e-14</residuum_tolerance>"
        "<increment_tolerance>0</increment_tolerance></nonlinear_solver>"
    )
    return named("Ehlers", values, extra=extra)


def project(folder, mesh, law, supports, times, *, finite=False, axisymmetric=False, adaptive=False,
            tolerance=1e-13, iterations=30, fields=("sigma", "epsilon")):
    """Writes a project with its meshes; `times` are the ends of the steps."""
    relation, parameters = law
    folder.mkdir(parents=True, exist_ok=True)
    write_mesh(folder / "body.vtu", mesh.nodes, mesh.cells, mesh.kind)
    axial = ' axially_symmetric="true"' if axisymmetric else ""
    meshes = [f"<mesh{axial}>body.vtu</mesh>"]
    conditions, formulas = [], {}
    for i, support in enumerate(supports):
        nodes = np.asarray(support.nodes)
        write_mesh(folder / f"support{i}.vtu", mesh.nodes[nodes], np.arange(len(nodes))[:, None], VERTEX, nodes)
        meshes.append(f"<mesh{axial}>support{i}.vtu</mesh>")
        for component, formula in support.formulas.items():
            name = f"u{i}{component}"
            formulas[name] = formula
            conditions.append(
                f"<boundary_condition><mesh>support{i}</mesh><type>Dirichlet</type>"
                f"<component>{component}</component><parameter>{name}</parameter></boundary_condition>"
            )
    d = mesh.dimension
    zeros = " ".join("0" * d)
    constant = "<parameter><name>{}</name><type>Constant</type><values>{}</values></parameter>"
    function = "<parameter><name>{}</name><type>Function</type><expression>{}</expression></parameter>"
    text = "".join(constant.format(n, " ".join(repr(float(x)) for x in np.atleast_1d(v))) for n, v in parameters.items())
    text += "".join(function.format(n, f) for n, f in formulas.items())
    text += f"<parameter><name>rest</name><type>Constant</type><values>{zeros}</values></parameter>"
    steps = np.diff([0.0, *times]).tolist()
    if adaptive:
        stepping = (
            "<type>IterationNumberBasedTimeStepping</type><t_initial>0</t_initial>"
            f"<t_end>{times[-1]!r}</t_end><initial_dt>{steps[0]!r}</initial_dt>"
            f"<minimum_dt>{steps[0] / 64!r}</minimum_dt><maximum_dt>{steps[0]!r}</maximum_dt>"
            "<number_iterations>1 8 20</number_iterations><multiplier>1 1 0.5</multiplier>"
        )
    else:
        pairs = "".join(f"<pair><repeat>1</repeat><delta_t>{dt!r}</delta_t></pair>" for dt in steps)
        stepping = (
            f"<type>FixedTimeStepping</type><t_initial>0</t_initial><t_end>{times[-1]!r}</t_end>"
            f"<timesteps>{pairs}</timesteps>"
        )
    secondary = "".join(f'<secondary_variable name="{name}"/>' for name in fields)
    kind = "LARGE_DEFORMATION" if finite else "SMALL_DEFORMATION"
    (folder / "job.prj").write_text(
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<OpenGeoSysProject><meshes>{"".join(meshes)}</meshes>'
        f"<processes><process><name>mechanics</name><type>{kind}</type>"
        f"<integration_order>2</integration_order>{relation}"
        f"<specific_body_force>{zeros}</specific_body_force>"
        "<process_variables><process_variable>displacement</process_variable></process_variables>"
        f"<secondary_variables>{secondary}</secondary_variables></process></processes>"
        "<media><medium><phases><phase><type>Solid</type><properties><property><name>density</name>"
        "<type>Constant</type><value>1</value></property></properties></phase></phases></medium></media>"
        '<time_loop><processes><process ref="mechanics"><nonlinear_solver>newton</nonlinear_solver>'
        "<convergence_criterion><type>DeltaX</type><norm_type>NORM2</norm_type>"
        f"<abstol>{tolerance!r}</abstol></convergence_criterion>"
        "<time_discretization><type>BackwardEuler</type></time_discretization>"
        f"<time_stepping>{stepping}</time_stepping></process></processes>"
        "<output><type>VTK</type><prefix>out</prefix><suffix>_{:timestep}_{:time}</suffix>"
        "<data_mode>Ascii</data_mode><compress_output>false</compress_output>"
        "<timesteps><pair><repeat>1</repeat><each_steps>1</each_steps></pair></timesteps>"
        "<variables></variables></output></time_loop>"
        f"<parameters>{text}</parameters><process_variables><process_variable><name>displacement</name>"
        f"<components>{d}</components><order>1</order><initial_condition>rest</initial_condition>"
        f"<boundary_conditions>{''.join(conditions)}</boundary_conditions></process_variable>"
        "</process_variables><nonlinear_solvers><nonlinear_solver><name>newton</name><type>Newton</type>"
        f"<max_iter>{iterations}</max_iter><linear_solver>direct</linear_solver></nonlinear_solver>"
        "</nonlinear_solvers><linear_solvers><linear_solver><name>direct</name><eigen>"
        "<solver_type>SparseLU</solver_type><scaling>true</scaling></eigen></linear_solver>"
        "</linear_solvers></OpenGeoSysProject>\n"
    )
    return folder / "job.prj"


def read_fields(path):
    """Point data of a VTU file in text."""
    root = ElementTree.parse(path).getroot()
    fields = {}
    for array in root.iter("PointData"):
        for data in array:
            values = np.array((data.text or "").split(), dtype=float)
            width = int(data.get("NumberOfComponents", 1))
            fields[data.get("Name")] = values.reshape(-1, width) if width > 1 else values
    return fields


def run(file, timeout=600):
    """Runs a project and reads what it wrote."""
    folder = file.parent
    done = subprocess.run(
        [PROGRAM, "-o", ".", "-l", "info", file.name],
        cwd=folder, env=dict(os.environ, RUST_BACKTRACE="0", OMP_NUM_THREADS="1"),
        capture_output=True, text=True, timeout=timeout, check=False,
    )
    result = Result(done.returncode, done.stdout + done.stderr)
    steps = re.split(r"Time step #[0-9]+ started", result.log)[2:]
    number = r"\|dx\|=([0-9.e+-]+)"
    result.corrections = [[float(v) for v in re.findall(number, step)] for step in steps]
    found = []
    for path in folder.glob("out_*.vtu"):
        step, time = re.match(r"out_(\d+)_([0-9.e+-]+)\.vtu", path.name).groups()
        found.append((int(step), float(time), path))
    for _, time, path in sorted(found):
        result.times.append(time)
        for name, values in read_fields(path).items():
            result.fields.setdefault(name, []).append(values)
    return result
