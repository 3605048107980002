"""Runs laws of hysteron inside finite element programs and holds them against the laws of these
programs. `tests/hosts/run` prepares what this needs."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import numpy as np

import ccx
import ogs
from ogs import Support

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "scikit_fem"))

from library import Law  # noqa: E402
from solid import solve  # noqa: E402

TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
WORK = TARGET / "hosts" / "jobs"
LIBRARY = TARGET / "release" / "libhysteron.so"
FAULTS = TARGET / "release" / "examples" / "libhost_faults.so"
PROGRAM = TARGET / "release" / "hysteron"
CCX = TARGET / "hosts" / "calculix" / "ccx"
LEARNED = ROOT / "materials" / "steel_s355_solid" / "law.safetensors"
# Debian's dolfinx belongs to Debian's Python.
SYSTEM_PYTHON = "/usr/bin/python3"

YOUNG, POISSON, YIELD, HARDENING = 200e3, 0.3, 250.0, 2000.0
BULK, SHEAR = YOUNG / (3 * (1 - 2 * POISSON)), YOUNG / (2 * (1 + POISSON))

J2 = f"""law = "j2"
young_MPa = {YOUNG}
poisson = {POISSON}
yield_MPa = {YIELD}
linear_hardening_MPa = {HARDENING}
"""
CHABOCHE = J2 + "backstress = [{ c_MPa = 60e3, gamma = 300.0 }]\n"
ELASTIC = f'law = "isotropic-elastic"\nyoung_MPa = {YOUNG}\npoisson = {POISSON}\n'
PLY = """law = "orthotropic-elastic"
young_1_MPa = 126000.0
young_2_MPa = 11000.0
young_3_MPa = 9000.0
poisson_12 = 0.28
poisson_13 = 0.25
poisson_23 = 0.4
shear_12_MPa = 6600.0
shear_13_MPa = 5500.0
shear_23_MPa = 3900.0
"""

TESTS = []


class Skipped(Exception):
    """What a test needs is not here."""


def test(function):
    TESTS.append(function)
    return function


def place(folder, name, law, library=LIBRARY):
    """A library with its law beside it, as an export writes them; `law` a reference or a file."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"lib{name}.so"
    # A new file: an old one may still be mapped by this process.
    copy.unlink(missing_ok=True)
    shutil.copy(library, copy)
    if isinstance(law, Path):
        shutil.copy(law, folder / f"{name}{law.suffix}")
    else:
        (folder / f"{name}.toml").write_text(f'name = "{name}"\n[reference]\n{law}')
    return copy


def pulled(mesh, size=1.0):
    """A solid held at the bottom, its top moved in all directions."""
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
    top = [0.004 * size, 0.001 * size, 0.002 * size]
    return [
        Support(low, {c: "0" for c in range(3)}),
        Support(high, {c: f"{v!r}*t" for c, v in enumerate(top)}),
    ]


def evenly(steps, end=1.0):
    return np.linspace(0.0, end, steps + 1)[1:].tolist()


def difference(a, b, name="displacement"):
    assert a.code == 0, tail(a)
    assert b.code == 0, tail(b)
    one, other = np.array(a.fields[name]), np.array(b.fields[name])
    assert one.shape == other.shape and np.abs(other).max() > 0
    return np.abs(one - other).max()


def tail(result):
    return result.log[-1500:]


def is_quadratic(corrections, floor=1e-13):
    """Whether each of the last corrections is of the order of the square of the one before."""
    e = np.array(corrections) / max(corrections[0], 1e-300)
    pairs = [(a, b) for a, b in zip(e[:-1], e[1:]) if a < 1e-3]
    return all(b <= 10 * a**1.6 + floor / max(corrections[0], 1e-300) for a, b in pairs)


def run_ogs(name, mesh, law, supports, times, **options):
    folder = WORK / "ogs" / name
    shutil.rmtree(folder, ignore_errors=True)
    if callable(law):
        law = law(folder)
    return ogs.run(ogs.project(folder, mesh, law, supports, times, **options))


def ours(law, behaviour="Hysteron", library=LIBRARY):
    def prepare(folder):
        copy = place(folder, "law", law, library)
        return ogs.mfront(copy.name, behaviour)

    return prepare


def orthotropic_ogs():
    """The constants of PLY as OpenGeoSys takes them: shears 12, 23, 13, ratios ν12, ν23, ν13."""
    tags = (
        "<youngs_moduli>E</youngs_moduli><shear_moduli>G</shear_moduli>"
        "<poissons_ratios>nu</poissons_ratios>"
    )
    relation = f"<constitutive_relation><type>LinearElasticOrthotropic</type>{tags}</constitutive_relation>"
    return relation, {"E": [126000.0, 11000.0, 9000.0], "G": [6600.0, 3900.0, 5500.0], "nu": [0.28, 0.4, 0.25]}


# OpenGeoSys


@test
def ogs_j2_is_its_von_mises_in_a_solid():
    mesh = ogs.block((3, 2, 2), bend=0.05)
    options = dict(tolerance=1e-11)
    a = run_ogs("j2", mesh, ours(J2), pulled(mesh), evenly(10), **options)
    b = run_ogs("ehlers", mesh, ogs.ehlers(BULK, SHEAR, YIELD, HARDENING), pulled(mesh), evenly(10), **options)
    assert difference(a, b) <= 1e-12, difference(a, b)
    assert a.iterations == b.iterations and max(a.iterations) >= 4, (a.iterations, b.iterations)
    assert all(is_quadratic(step) for step in a.corrections), a.corrections
    stress = np.array(a.fields["sigma"])
    assert difference(a, b, "sigma") <= 1e-8 * np.abs(stress).max()


def plate_supports(mesh, formula):
    left = mesh.where(lambda x, y, z: np.abs(x) < 1e-12)
    low = mesh.where(lambda x, y, z: np.abs(y) < 1e-12)
    high = mesh.where(lambda x, y, z: np.abs(y - y.max()) < 1e-12)
    return [Support(left, {0: "0"}), Support(low, {1: "0"}), Support(high, {1: formula})]


@test
def ogs_j2_is_its_von_mises_in_plane_strain():
    mesh = ogs.notched_plate()
    supports = plate_supports(mesh, "0.006*t")
    options = dict(tolerance=1e-10)
    a = run_ogs("j2_plane", mesh, ours(J2), supports, evenly(10), **options)
    b = run_ogs("ehlers_plane", mesh, ogs.ehlers(BULK, SHEAR, YIELD, HARDENING), supports, evenly(10), **options)
    assert difference(a, b) <= 1e-12, difference(a, b)
    assert a.iterations == b.iterations, (a.iterations, b.iterations)


@test
def ogs_j2_is_its_von_mises_with_axial_symmetry():
    mesh = ogs.block((4, 6), (1.0, 2.0))
    mesh.nodes[:, 0] += 0.5
    low = mesh.where(lambda x, y, z: y == 0)
    high = mesh.where(lambda x, y, z: y == y.max())
    supports = [Support(low, {0: "0", 1: "0"}), Support(high, {0: "-0.002*t", 1: "0.008*t"})]
    options = dict(tolerance=1e-10, axisymmetric=True)
    a = run_ogs("j2_axial", mesh, ours(J2), supports, evenly(8), **options)
    b = run_ogs("ehlers_axial", mesh, ogs.ehlers(BULK, SHEAR, YIELD, HARDENING), supports, evenly(8), **options)
    assert difference(a, b) <= 1e-12, difference(a, b)


def ply_mesh():
    mesh = ogs.block((2, 2, 2), bend=0.05)
    low = mesh.where(lambda x, y, z: z == 0)
    high = mesh.where(lambda x, y, z: z == z.max())
    side = mesh.where(lambda x, y, z: (y == y.max()) & (z > 0) & (z < z.max()))
    supports = [
        Support(low, {0: "0", 1: "0", 2: "0"}),
        Support(high, {0: "0.003*t", 1: "0.001*t", 2: "0.002*t"}),
        Support(side, {0: "-0.002*t"}),
    ]
    return mesh, supports


@test
def ogs_orthotropic_elasticity_is_its_own():
    mesh, supports = ply_mesh()
    a = run_ogs("ply", mesh, ours(PLY), supports, [1.0])
    b = run_ogs("ply_own", mesh, orthotropic_ogs(), supports, [1.0])
    assert difference(a, b) <= 1e-15, difference(a, b)


@test
def ogs_finite_strain_turns_as_its_saint_venant_kirchhoff():
    # A bar turns by 90 degrees while it is stretched by 1e-6: the two laws differ by the square of
    # the strain, a law that does not turn with the material by all of it.
    mesh = ogs.block((2, 2, 3), (1.0, 1.0, 2.0), bend=0.05)
    low = mesh.where(lambda x, y, z: z == 0)
    high = mesh.where(lambda x, y, z: z == z.max())
    angle = "(pi/2*t)"
    turned = {0: f"(cos{angle}-1)*x - sin{angle}*y", 1: f"sin{angle}*x + (cos{angle}-1)*y"}
    supports = [Support(low, {**turned, 2: "0"}), Support(high, {**turned, 2: "2e-6*t"})]
    options = dict(finite=True, tolerance=1e-14, fields=("sigma", "deformation_gradient"))
    own = ogs.named(
        "MFront", {"E": YOUNG, "nu": POISSON}, tags={},
        extra="<behaviour>SaintVenantKirchhoff</behaviour><material_properties>"
        '<material_property name="YoungModulus" parameter="E"/>'
        '<material_property name="PoissonRatio" parameter="nu"/></material_properties>',
    )
    a = run_ogs("hencky", mesh, ours(ELASTIC, "HysteronFiniteStrain"), supports, evenly(4), **options)
    b = run_ogs("svk", mesh, own, supports, evenly(4), **options)
    assert difference(a, b) <= 1e-12, difference(a, b)
    # Before the first step its stress is not a number.
    one, other = a.fields["sigma"][-1], b.fields["sigma"][-1]
    assert np.abs(one - other).max() <= 1e-5 * np.abs(other).max() > 0


@test
def ogs_finite_strain_is_henckys_law():
    # A homogeneous deformation, large and turned: the second Piola-Kirchhoff stress, which is what
    # OpenGeoSys calls sigma here, in closed form.
    end = np.array([[1.3, 0.4, 0.1], [-0.3, 0.9, 0.2], [0.1, 0.05, 1.1]])
    mesh = ogs.block((2, 2, 2), bend=0.05)
    outside = mesh.where(lambda x, y, z: (x % 1 == 0) | (y % 1 == 0) | (z % 1 == 0))
    gradient = (end - np.eye(3)).tolist()
    rows = {i: "({!r}*x + {!r}*y + {!r}*z)*t".format(*row) for i, row in enumerate(gradient)}
    result = run_ogs(
        "hencky_patch", mesh, ours(ELASTIC, "HysteronFiniteStrain"), [Support(outside, rows)],
        evenly(4), finite=True, tolerance=1e-12, fields=("sigma", "deformation_gradient"),
    )
    assert result.code == 0, tail(result)
    left, values, _ = np.linalg.svd(end)
    logs = np.log(values)
    kirchhoff = 2 * SHEAR * (logs - logs.mean()) + BULK * logs.sum()
    back = np.linalg.inv(end) @ left
    expected = (back @ np.diag(kirchhoff) @ back.T)[[0, 1, 2, 0, 1, 0], [0, 1, 2, 1, 2, 2]]
    found = np.array(result.fields["sigma"][-1])
    assert np.abs(found - expected).max() <= 1e-9 * np.abs(expected).max(), (found[0], expected)
    assert all(is_quadratic(step) for step in result.corrections), result.corrections


@test
def ogs_a_learned_law_runs_a_notched_plate_through_two_cycles():
    mesh = ogs.notched_plate()
    wave = "0.0024*sin(2*pi*t)"
    result = run_ogs(
        "learned", mesh, ours(LEARNED), plate_supports(mesh, wave), evenly(48, 2.0), tolerance=1e-10,
    )
    assert result.code == 0, tail(result)
    assert len(result.times) == 49, len(result.times)
    assert all(is_quadratic(step) for step in result.corrections), result.corrections
    stress = np.array(result.fields["sigma"])
    assert np.isfinite(stress).all()
    # It is a law with hysteresis: without strain at the ends there is stress left.
    assert np.abs(stress[24]).max() > 10.0
    print(f"    Newton iterations: {min(result.iterations)} to {max(result.iterations)}", end="")


@test
def ogs_rejects_a_step_that_a_law_refuses():
    mesh = ogs.block((2, 2, 2), bend=0.05)
    law = ours(J2, "FailsAtLargeSteps", FAULTS)
    fixed = run_ogs("refused", mesh, law, pulled(mesh), evenly(2))
    assert fixed.code > 0 and "integration failed" in fixed.log, tail(fixed)
    adaptive = run_ogs("cut", mesh, law, pulled(mesh), evenly(2), adaptive=True)
    assert adaptive.code == 0, tail(adaptive)
    assert len(adaptive.times) > 3, adaptive.times
    # Without faults and with the steps that were left the same comes out.
    plain = run_ogs("uncut", mesh, ours(J2), pulled(mesh), adaptive.times[1:])
    assert difference(adaptive, plain) <= 1e-15, difference(adaptive, plain)


@test
def ogs_a_rejected_step_leaves_no_trace():
    # What a law wrote before it failed does not reach the host; a law that keeps its state to itself
    # is found out.
    mesh = ogs.block((2, 2, 2), bend=0.05)
    for behaviour, sound in [("SpoilsTheState", True), ("RememberedState", False)]:
        law = ours(J2, behaviour, FAULTS)
        cut = run_ogs(behaviour, mesh, law, pulled(mesh), evenly(2), adaptive=True)
        assert cut.code == 0 and len(cut.times) > 3, tail(cut)
        plain = run_ogs("uncut", mesh, ours(J2), pulled(mesh), cut.times[1:])
        found = difference(cut, plain)
        assert (found <= 1e-15) if sound else (found > 1e-6), (behaviour, found)


@test
def ogs_swapped_shears_are_found():
    mesh, supports = ply_mesh()
    own = run_ogs("ply_own", mesh, orthotropic_ogs(), supports, [1.0])
    swapped = run_ogs("swapped", mesh, ours(PLY, "SwappedShears", FAULTS), supports, [1.0], tolerance=1e-9)
    assert swapped.code != 0 or difference(swapped, own) > 1e-6


@test
def ogs_engineering_shears_are_found():
    mesh, supports = ply_mesh()
    own = run_ogs("ply_own", mesh, orthotropic_ogs(), supports, [1.0])
    wrong = run_ogs("engineering", mesh, ours(PLY, "EngineeringShears", FAULTS), supports, [1.0], tolerance=1e-9)
    assert wrong.code != 0 or difference(wrong, own) > 1e-6


@test
def ogs_a_transposed_tangent_is_found():
    # Backstresses that recall make the tangent unsymmetric, above all where the load turns.
    mesh = ogs.block((2, 2, 2), bend=0.05)
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == 1)
    turning = {0: "0.02*sin(pi*t)", 1: "0.02*(1-cos(pi*t))", 2: "0.004*t"}
    supports = [Support(low, {c: "0" for c in range(3)}), Support(high, turning)]
    options = dict(iterations=60)
    sound = run_ogs("chaboche", mesh, ours(CHABOCHE), supports, evenly(5), **options)
    wrong = run_ogs("transposed", mesh, ours(CHABOCHE, "TransposedTangent", FAULTS), supports, evenly(5), **options)
    assert sound.code == 0 and all(is_quadratic(step) for step in sound.corrections), sound.corrections
    assert wrong.code == 0 and max(wrong.iterations) > 2 * max(sound.iterations), wrong.iterations
    assert not all(is_quadratic(step) for step in wrong.corrections), wrong.corrections


@test
def ogs_outlives_panics_and_numbers_that_are_none():
    mesh = ogs.block((2, 2, 2), bend=0.05)
    for behaviour in ("Panics", "AnswersNaN"):
        result = run_ogs(behaviour, mesh, ours(J2, behaviour, FAULTS), pulled(mesh), evenly(2))
        # Below zero: a signal ended it.
        assert result.code > 0, (behaviour, result.code, tail(result))
        # It went on to say so and to end in order.
        assert "OGS terminated with error" in result.log, tail(result)


@test
def ogs_hears_of_an_extrapolation():
    mesh = ogs.block((2, 2, 2), bend=0.05)
    result = run_ogs("SaysOutside", mesh, ours(J2, "SaysOutside", FAULTS), pulled(mesh), evenly(2))
    print(f"    code {result.code}: {'rejects' if result.code else 'accepts'} 0", end="")
    assert result.code >= 0


@test
def ogs_refuses_a_library_without_its_law():
    mesh = ogs.block((1, 1, 1))
    supports = pulled(mesh)

    def alone(folder):
        copy = place(folder, "law", J2)
        (folder / "law.toml").unlink()
        return ogs.mfront(copy.name, "Hysteron")

    def torn(folder):
        copy = place(folder, "law", J2)
        (folder / "law.toml").write_text("name = 3")
        return ogs.mfront(copy.name, "Hysteron")

    def uniaxial(folder):
        copy = place(folder, "law", ROOT / "materials/steel_s355_voce_chaboche/law.safetensors")
        return ogs.mfront(copy.name, "Hysteron")

    for name, law, reason in [
        ("alone", alone, "must lie beside"),
        ("torn", torn, "law.toml:1"),
        ("uniaxial", uniaxial, "a law of 1 components"),
    ]:
        result = run_ogs(name, mesh, law, supports, [1.0])
        assert result.code > 0 and reason in result.log, (name, result.code, tail(result))

    def without_unit(folder):
        relation, _ = ours(J2)(folder)
        start, end = relation.index("<material_properties>"), relation.index("</constitutive_relation>")
        return relation[:start] + relation[end:], {}

    result = run_ogs("unitless", mesh, without_unit, supports, [1.0])
    assert result.code > 0 and "StressUnit" in result.log, tail(result)


@test
def ogs_in_pascal_is_ogs_in_megapascal():
    mesh = ogs.block((2, 2, 2), bend=0.05)
    mega = run_ogs("mega", mesh, ours(J2), pulled(mesh), evenly(4))

    def in_pascal(folder):
        return ogs.mfront(place(folder, "law", J2).name, "Hysteron", unit=1e6)

    pascal = run_ogs("pascal", mesh, in_pascal, pulled(mesh), evenly(4))
    assert difference(mega, pascal) <= 1e-14
    ratio = np.array(pascal.fields["sigma"][-1]) / np.array(mega.fields["sigma"][-1])
    assert np.abs(ratio / 1e6 - 1).max() < 1e-7


# The batch call


@test
def scikit_fem_agrees_with_opengeosys():
    mesh = ogs.block((3, 2, 2), bend=0.05)
    for name, law, steps in [("j2", J2, 6), ("chaboche", CHABOCHE, 6), ("ply", PLY, 2)]:
        host = run_ogs(f"skfem_{name}", mesh, ours(law), pulled(mesh), evenly(steps))
        path = WORK / "ogs" / f"skfem_{name}" / "law.toml"
        low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
        found = solve(Law(LIBRARY, path, 6), mesh.nodes, mesh.cells, low, high, [0.004, 0.001, 0.002], steps)
        assert np.abs(found - np.array(host.fields["displacement"][-1])).max() <= 1e-12


@test
def the_example_in_python_runs():
    done = subprocess.run(
        [sys.executable, ROOT / "examples/scikit_fem/solid.py"], capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0 and "512 integration points" in done.stdout, done.stderr


def dolfinx(name, law, ranks, steps):
    """Runs tests/hosts/dolfinx_solid.py; nodes in a common order with their displacements."""
    folder = WORK / "dolfinx"
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{name}_{ranks}.npz"
    out.unlink(missing_ok=True)
    allowed = {f"OMPI_ALLOW_RUN_AS_ROOT{suffix}": "1" for suffix in ("", "_CONFIRM")}
    # Messages go through the loopback interface, as between machines; ranks share the cores.
    network = ["--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo", "--mca", "mpi_yield_when_idle", "1"]
    done = subprocess.run(
        ["mpirun", "--oversubscribe", *network, "-n", str(ranks), SYSTEM_PYTHON,
         ROOT / "tests/hosts/dolfinx_solid.py", LIBRARY, law, str(steps), out],
        env=dict(os.environ, **allowed), capture_output=True, text=True, timeout=600, check=False,
    )
    assert done.returncode == 0, done.stderr[-1500:]
    result = dict(np.load(out))
    order = np.lexsort(np.round(result["nodes"], 9).T)
    return {**result, "nodes": result["nodes"][order], "displacement": result["displacement"][order]}


@test
def dolfinx_on_several_ranks_is_dolfinx_on_one():
    here = [shutil.which("mpirun"), Path(SYSTEM_PYTHON).is_file()]
    if not all(here) or subprocess.run([SYSTEM_PYTHON, "-c", "import dolfinx"], capture_output=True, check=False).returncode:
        raise Skipped("dolfinx with MPI is not here: tests/hosts/dolfinx installs it")
    card = WORK / "dolfinx" / "chaboche.toml"
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text(f'name = "steel"\n[reference]\n{CHABOCHE}')
    for name, law, counts in [("chaboche", card, (2, 3)), ("learned", LEARNED, (2,))]:
        one = dolfinx(name, law, 1, 3)
        assert max(one["iterations"]) >= 4 and np.abs(one["displacement"]).max() > 0
        for ranks in counts:
            several = dolfinx(name, law, ranks, 3)
            assert len(several["cells"]) == ranks and several["cells"].min() > 0, several["cells"]
            found = np.abs(several["displacement"] - one["displacement"]).max()
            assert found <= 1e-15 and (several["iterations"] == one["iterations"]).all(), (found, several["iterations"])
        if name == "chaboche":
            chaboche = several
    # And it is what OpenGeoSys finds.
    mesh = ogs.block((3, 2, 2))
    host = run_ogs("dolfinx_chaboche", mesh, ours(CHABOCHE), pulled(mesh), evenly(3))
    order = np.lexsort(np.round(mesh.nodes, 9).T)
    assert np.abs(chaboche["nodes"] - mesh.nodes[order]).max() < 1e-12
    found = np.abs(chaboche["displacement"] - np.array(host.fields["displacement"][-1])[order]).max()
    assert found <= 1e-12, found


@test
def two_laws_live_in_one_program():
    folder = WORK / "two"
    shutil.rmtree(folder, ignore_errors=True)
    for name, law in [("one", J2), ("two", PLY), ("three", LEARNED)]:
        place(folder, name, law)
        # The worst case: symbols of all of them in one space.
        ctypes.CDLL(str(folder / f"lib{name}.so"), mode=ctypes.RTLD_GLOBAL)
    states = [Law(folder / f"lib{name}.so", None, 6).states for name in ("one", "two", "three")]
    assert states[:2] == [7, 0] and states[2] > 7, states
    counts = [
        ctypes.c_uint16.in_dll(ctypes.CDLL(str(folder / f"lib{name}.so")), "Hysteron_nInternalStateVariables").value
        for name in ("one", "two", "three")
    ]
    assert counts == states, (counts, states)


def compile_c(source, name, *options):
    """A program of tests/hosts, and beside it the law that it loads."""
    compiler = shutil.which("cc")
    if not compiler:
        raise Skipped("no C compiler")
    folder = WORK / "c"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "j2.toml").write_text(f'name = "steel"\n[reference]\n{J2}')
    program = folder / name
    subprocess.run(
        [compiler, "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-g", f"-I{ROOT / 'include'}",
         str(ROOT / "tests/hosts" / source), "-o", str(program), *options, "-lm", "-ldl", "-lpthread"],
        check=True,
    )
    return program


def run_c(*command, **environment):
    return subprocess.run(
        command, cwd=WORK / "c", env=dict(os.environ, **environment), capture_output=True, text=True, check=False,
    )


def linked(library):
    return [str(library), f"-Wl,-rpath,{library.parent}"]


@test
def a_program_in_c_finds_what_the_header_says():
    client = compile_c("client.c", "client", *linked(LIBRARY))
    commands = [[client, "j2.toml"]]
    if shutil.which("valgrind"):
        check = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]
        commands.append([*check, *commands[0]])
    for command in commands:
        done = run_c(*command)
        assert done.returncode == 0 and done.stdout.strip() == "ok", done.stdout + done.stderr
    print("    with valgrind" if len(commands) == 2 else "    valgrind is not here", end="")


@test
def random_calls_from_many_threads_end_no_host():
    calls = compile_c("calls.c", "calls")
    done = run_c(calls, place(WORK / "c", "steel", J2), "200000")
    assert done.returncode == 0 and done.stdout.strip() == "ok", (done.returncode, done.stdout, done.stderr[-1500:])


@test
def the_address_sanitizer_finds_nothing():
    # The instrumented library with the runtime that comes with Rust, and the programs from above.
    target = next(line.split()[1] for line in rustc("-vV").splitlines() if line.startswith("host:"))
    runtime = list(Path(rustc("--print", "sysroot").strip()).glob(f"lib/rustlib/{target}/lib/*asan.a"))
    if not runtime:
        raise Skipped("this Rust has no address sanitizer")
    folder = TARGET / "asan"
    subprocess.run(
        ["cargo", "rustc", "--quiet", "--release", "--target", target, "--target-dir", folder,
         "--no-default-features", "--features", "capi", "--crate-type", "cdylib"],
        cwd=ROOT, check=True,
        # Little optimisation: it is built sooner, and fewer accesses are gone.
        env=dict(os.environ, RUSTC_BOOTSTRAP="1", RUSTFLAGS="-Zsanitizer=address", CARGO_PROFILE_RELEASE_OPT_LEVEL="1"),
    )
    library = folder / target / "release" / LIBRARY.name
    options = ["-rdynamic", "-Wl,--whole-archive", str(runtime[0]), "-Wl,--no-whole-archive", "-lm", "-lpthread", "-ldl", "-lrt"]
    client = compile_c("client.c", "client_asan", *linked(library), *options)
    short = compile_c("client.c", "client_short", "-DTOO_SHORT=1", *linked(library), *options)
    calls = compile_c("calls.c", "calls_asan", *options)
    steel = place(WORK / "c" / "asan", "steel", J2, library)
    for command, sound in [([client, "j2.toml"], True), ([calls, steel, "20000"], True), ([short, "j2.toml"], False)]:
        done = run_c(*command, ASAN_OPTIONS="detect_leaks=0")
        if sound:
            assert done.returncode == 0 and done.stdout.strip() == "ok", done.stdout + done.stderr[-3000:]
        else:
            # The array without room for the last number must be seen.
            assert "heap-buffer-overflow" in done.stderr, done.stderr


def rustc(*arguments):
    return subprocess.run(["rustc", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@test
def the_header_is_that_of_the_sources():
    if not any(shutil.which("cbindgen", path=path) for path in (str(TARGET / "tools" / "bin"), None)):
        raise Skipped(f"no cbindgen: cargo install cbindgen --root {TARGET / 'tools'}")
    done = subprocess.run([ROOT / "tests/hosts/header", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@test
def the_library_exports_what_the_header_declares():
    if not shutil.which("nm"):
        raise Skipped("no nm")
    listed = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True)
    exported = {line.split()[-1] for line in listed.stdout.splitlines()}
    header = (ROOT / "include/hysteron.h").read_text()
    declared = {word.split("(")[0].lstrip("*") for word in header.split() if word.lstrip("*").startswith("hysteron_") and "(" in word}
    ours = {name for name in exported if name.startswith("hysteron_")}
    assert ours == declared and len(ours) > 10, ours ^ declared
    others = exported - ours
    assert all(name == "umat_" or name.startswith(("Hysteron_", "HysteronFiniteStrain_")) for name in others), others


# Exported folders


@test
def an_exported_folder_runs_in_opengeosys():
    for name, model in [("steel", LEARNED), ("ply", ROOT / "materials/carbon_epoxy_as4_3501_6")]:
        folder = WORK / "export" / f"mgis_{name}"
        export(model, "mgis", name, folder)
        result = ogs.run(folder / f"{name}.prj")
        assert result.code == 0, tail(result)
        assert (folder / f"{name}_40_4.vtu").is_file() or list(folder.glob(f"{name}_40_4*.vtu"))
        assert "ogs -o . " in (folder / "README.md").read_text()


def told_outside(run, log, folder, name, change):
    """A job beyond the trained range goes on and says so, fails, or goes on without a word, as its folder says."""
    change()
    for choice, ends, says in [("warn", True, True), ("reject", False, True), ("ignore", True, False)]:
        (folder / f"{name}.outside").write_text(choice + "\n")
        result = run()
        words = log(result)
        assert (result.code == 0) == ends, f"{choice}: {tail(result)}"
        assert ("outside the trained range of the law: norm of the deviatoric strain" in words) == says, f"{choice}: {tail(result)}"
        if choice == "warn":
            assert "times in all" in words, tail(result)
    (folder / f"{name}.outside").write_text("sometimes\n")
    result = run()
    assert result.code != 0 and "warn, reject or ignore" in log(result), tail(result)


@test
def calculix_goes_on_outside_the_range_or_not_as_its_folder_says():
    if not CCX.is_file():
        raise Skipped("CalculiX is not here: tests/hosts/calculix builds it")
    folder = WORK / "export" / "umat_outside"
    export(LEARNED, "umat", "steel", folder)
    deck = folder / "STEEL.inp"

    def change():
        deck.write_text(re.sub(r"(RIGHT,1,1,)[0-9.e+-]+", r"\g<1>3e-2", deck.read_text()))

    told_outside(lambda: ccx.run(CCX, folder, job="STEEL", libraries=folder), lambda result: result.log, folder, "STEEL", change)


@test
def opengeosys_goes_on_outside_the_range_or_not_as_its_folder_says():
    folder = WORK / "export" / "mgis_outside"
    export(LEARNED, "mgis", "steel", folder)
    project = folder / "steel.prj"

    def change():
        text = project.read_text()
        amplitude = re.search(r"<name>amplitude</name>.*?<value>([^<]*)</value>", text).group(1)
        project.write_text(text.replace(f"<value>{amplitude}</value>", "<value>3e-2</value>"))

    told_outside(lambda: ogs.run(project), lambda result: result.log, folder, "steel", change)


def export(model, host, name, folder, *options):
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(
        [PROGRAM, "export", model, "--host", host, "--name", name, "--out", folder, *options],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    return (folder / "README.md").read_text()


def warm_law(external="temperature_C", value=200.0):
    """A law of a variable, trained in seconds on an elasticity that becomes softer with it; not a good one."""
    folder = WORK / "warm" / external
    model = folder / "warm.safetensors"
    if model.is_file():
        return model
    (folder / "records").mkdir(parents=True, exist_ok=True)
    labels = ["11", "22", "33", "12", "13", "23"]
    names = ["time_s", *(f"eps{c}" for c in labels[:3]), *(f"gam{c}" for c in labels[3:]), *(f"sig{c}" for c in labels)]
    for axis in range(3):
        level = value * (0.5 + 0.5 * axis)
        shear = (YOUNG - 200 * level) / (2 + 2 * POISSON)
        rows = [",".join([*names, external])]
        for step in range(61):
            strain = 2e-3 * np.sin(0.15 * step) * np.where(np.arange(3) == axis, 1.0, -0.4)
            slip = 1e-3 * np.sin(0.15 * step) * (np.arange(3) == axis) * step / 60
            stress = 2 * shear * (strain + POISSON / (1 - 2 * POISSON) * strain.sum())
            numbers = [0.1 * step, *strain, *slip, *stress, *(shear * slip), level]
            rows.append(",".join(f"{x:.9g}" for x in numbers))
        (folder / "records" / f"r{axis}.csv").write_text("\n".join(rows) + "\n")
    options = ["--law", "relaxation", "--external", external, "--epochs", "2", "--no-plots", "--quiet", "--out", model]
    done = subprocess.run([PROGRAM, "train", folder / "records", *options], capture_output=True, text=True, check=False)
    assert model.is_file(), done.stderr
    return model


def allowed(model, host, folder):
    """The options that let a law be exported, from the message that refuses it."""
    command = [PROGRAM, "export", model, "--host", host, "--name", "warm", "--out", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    assert done.returncode == 2 and "is not fit for a solver" in done.stderr, done.stderr
    return ["--allow", done.stderr.split("--allow ")[1].split()[0]]


@test
def an_exported_law_has_a_temperature_in_opengeosys():
    folder = WORK / "export" / "mgis_warm"
    model = warm_law()
    readme = export(model, "mgis", "warm", folder, *allowed(model, "mgis", folder))
    assert "473.15 K" in readme and "<reference_temperature>" in readme, readme
    result = ogs.run(folder / "warm.prj")
    assert result.code == 0, tail(result)
    # Where the project gives none, the reason arrives.
    project = (folder / "warm.prj").read_text()
    (folder / "cold.prj").write_text(project.replace("<reference_temperature>temperature</reference_temperature>", ""))
    result = ogs.run(folder / "cold.prj")
    assert result.code > 0 and "write <reference_temperature>" in result.log, tail(result)
    assert sum("hysteron:" in line for line in result.log.splitlines()) <= 3, tail(result)


@test
def an_input_that_opengeosys_does_not_give_must_be_allowed():
    folder = WORK / "export" / "mgis_humid"
    model = warm_law("humidity", 0.5)
    options = allowed(model, "mgis", folder)
    assert "humidity" in options[1], options
    readme = export(model, "mgis", "humid", folder, *options)
    assert "`humidity`: an external state variable" in readme, readme
    result = ogs.run(folder / "humid.prj")
    assert result.code > 0 and "the law needs `humidity`" in result.log, tail(result)


@test
def an_exported_law_has_a_temperature_in_calculix():
    if not CCX.is_file():
        raise Skipped("CalculiX is not here: tests/hosts/calculix builds it")
    folder = WORK / "export" / "umat_warm"
    model = warm_law()
    readme = export(model, "umat", "warm", folder, *allowed(model, "umat", folder))
    assert "has 200.0, the mean of the training" in readme and str(CCX) in readme, readme
    result = ccx.run(CCX, folder, job="WARM", libraries=folder)
    assert result.code == 0 and len(result.increments) == 40, tail(result)
    deck = (folder / "WARM.inp").read_text()
    assert "*INITIAL CONDITIONS,TYPE=TEMPERATURE\nALL,200.0\n" in deck, deck
    (folder / "COLD.inp").write_text(deck.replace("*INITIAL CONDITIONS,TYPE=TEMPERATURE\nALL,200.0\n", ""))
    cold = ccx.run(CCX, folder, job="COLD", libraries=folder)
    assert "write *INITIAL CONDITIONS,TYPE=TEMPERATURE" in cold.log and not cold.increments, tail(cold)
    # Its message comes once, and is counted.
    assert sum("hysteron:" in line for line in cold.log.splitlines()) <= 3, tail(cold)


@test
def an_exported_folder_says_what_it_holds():
    folder = WORK / "export" / "read"
    readme = export(LEARNED, "umat", "steel", folder)
    for words in ["S355 structural steel, all components: a law `physically-recurrent`", "At rest: E 1.", "| 1 | `",
                  "strain path of a record: at most", "Trained range"]:
        assert words in readme, (words, readme)
    states = Law(LIBRARY, LEARNED, 6).states
    assert sum(line.startswith("| ") and line[2].isdigit() for line in readme.splitlines()) == states, readme
    card = WORK / "export" / "card.toml"
    card.write_text(f'name = "mild steel"\n[reference]\n{J2}')
    readme = export(card, "mgis", "mild", folder)
    for words in ["mild steel: a law `j2`", "E 2.00000e5 MPa, ν₁₂ 0.3000", "`EquivalentPlasticStrain`"]:
        assert words in readme, (words, readme)
    readme = export(ROOT / "materials/carbon_epoxy_as4_3501_6", "umat", "ply", folder)
    assert "*DEPVAR` with 0" not in readme, readme


@test
def an_export_says_what_is_wrong():
    folder = WORK / "export" / "wrong"
    uniaxial = ROOT / "materials/steel_s355_voce_chaboche/law.safetensors"
    cases = [
        ([LEARNED, "--name", "a b"], "--name a b"),
        ([LEARNED, "--name", "hysteron"], "without a law"),
        ([uniaxial, "--name", "steel"], "export a law of six"),
        ([ROOT / "nowhere.safetensors", "--name", "steel"], "nowhere"),
        ([LEARNED, "--name", "steel", "--library", ROOT / "Cargo.toml"], "does not load"),
        ([LEARNED, "--name", "steel", "--library", ROOT / "nowhere.so"], "nowhere.so"),
        ([LEARNED, "--name", "steel", "--allow", "stat_growth"], "--allow stat_growth: neither"),
    ]
    for arguments, reason in cases:
        command = [PROGRAM, "export", *arguments, "--host", "umat", "--out", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and reason in done.stderr, done.stderr


# CalculiX


def calculix(name, mesh, material, supports, library=None, threads=1, **options):
    if not CCX.is_file():
        raise Skipped("CalculiX is not here: tests/hosts/calculix builds it")
    folder = WORK / "ccx" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for each in library if isinstance(library, list) else [library] if library else []:
        place(folder, *each)
    ccx.deck(folder, mesh, material, supports, **options)
    result = ccx.run(CCX, folder, libraries=folder, threads=threads)
    assert "unable to load" not in result.log, tail(result)
    return result


def ccx_pulled(mesh, size=1.0):
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
    top = {0: 0.004 * size, 1: 0.001 * size, 2: 0.002 * size}
    return [(low, {0: 0.0, 1: 0.0, 2: 0.0}), (high, top)]


OWN_J2 = ["*ELASTIC", f"{YOUNG},{POISSON}", "*PLASTIC", f"{YIELD},0.", f"{YIELD + HARDENING},1."]
OWN_PLY = ["*ELASTIC,TYPE=ENGINEERING CONSTANTS", "126000.,11000.,9000.,.28,.25,.4,6600.,5500.,", "3900.,0."]


def own(name, lines):
    return name, [f"*MATERIAL,NAME={name}", *lines]


def same_in_calculix(name, law, states, lines, **options):
    mesh = ogs.block((3, 2, 2), bend=0.05)
    a = calculix(name, mesh, ccx.user("LAW", states), ccx_pulled(mesh), ("LAW", law), **options)
    b = calculix(f"{name}_own", mesh, ("OWN", ["*MATERIAL,NAME=OWN", *lines]), ccx_pulled(mesh), **options)
    assert a.code == 0 and b.code == 0, tail(a)
    if len(b.rows) < len(a.rows):
        # CalculiX takes a linear job in one step.
        a.rows = a.rows[-len(b.rows):]
    else:
        assert a.iterations == b.iterations and len(a.iterations) == 10, (a.iterations, b.iterations)
    # The tables have seven digits.
    assert ccx.differs(a, b) <= 1e-7, ccx.differs(a, b)
    return a


@test
def calculix_elasticity_is_its_own():
    same_in_calculix("elastic", ELASTIC, 0, ["*ELASTIC", f"{YOUNG},{POISSON}"])


@test
def calculix_orthotropic_elasticity_is_its_own():
    same_in_calculix("ply", PLY, 0, OWN_PLY)


@test
def calculix_j2_is_its_own():
    a = same_in_calculix("j2", J2, 7, OWN_J2)
    b = same_in_calculix("j2_threads", J2, 7, OWN_J2, threads=2)
    assert ccx.differs(a, b) == 0.0


@test
def calculix_has_several_laws_in_one_model():
    # It passes the largest number of internal variables of the model to every law. The parts behave as with
    # its own laws, whichever of them stand beside each other.
    mesh = ogs.block((2, 2, 2), bend=0.05)
    low, high = range(4), range(4, 8)
    steel, ply, chaboche = ccx.user("STEEL", 7), ccx.user("PLY", 0), ccx.user("CHABOCHE", 13)
    again, roomy = ccx.user("STEEL@B", 7), ccx.user("STEEL", 16)
    own_steel, own_ply = own("OWNSTEEL", OWN_J2), own("OWNPLY", OWN_PLY)
    laws = [("STEEL", J2), ("PLY", PLY), ("CHABOCHE", CHABOCHE)]
    cases = {
        "two": ([steel, ply], [own_steel, own_ply]),
        "other_way": ([ply, steel], [own_ply, own_steel]),
        "beside_own": ([steel, own_ply], [own_steel, own_ply]),
        "beside_plastic": ([ply, own_steel], [own_ply, own_steel]),
        "beside_itself": ([steel, own_steel], [own_steel, own_steel]),
        "two_names": ([steel, again], [own_steel, own_steel]),
        "room_for_a_rotation": ([roomy, ply], [own_steel, own_ply]),
        "thirteen": ([chaboche, steel], [chaboche, own_steel]),
    }
    for name, pairs in cases.items():
        results = []
        for which, (below, above) in zip(("ours", "own"), pairs):
            parts = [(*below, low), (*above, high)]
            results.append(calculix(f"several_{name}_{which}", mesh, parts, ccx_pulled(mesh), laws))
        a, b = results
        assert a.code == 0 and b.code == 0 and len(a.rows) == len(b.rows), (name, tail(a))
        assert ccx.differs(a, b) <= 1e-7 and a.iterations == b.iterations, (name, ccx.differs(a, b))


@test
def calculix_has_laws_beside_contact_with_friction():
    # Two cubes, one on the other; the contact has nine internal variables.
    cube = ogs.block((1, 1, 1))
    nodes = np.concatenate([cube.nodes, cube.nodes + [0.0, 0.0, 1.0]])
    mesh = ogs.Mesh(nodes, [*cube.cells, [n + 8 for n in cube.cells[0]]], ogs.HEXAHEDRON)
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == 2)
    supports = [(low, {0: 0.0, 1: 0.0, 2: 0.0}), (high, {0: 0.002, 1: 0.0, 2: -0.006})]
    contact = [
        "*SURFACE,NAME=BELOW", "1,S2", "*SURFACE,NAME=ABOVE", "2,S1", "*SURFACE INTERACTION,NAME=RUB",
        "*SURFACE BEHAVIOR,PRESSURE-OVERCLOSURE=LINEAR", "1e7", "*FRICTION", "0.3,1e6",
        "*CONTACT PAIR,INTERACTION=RUB,TYPE=SURFACE TO SURFACE", "ABOVE,BELOW",
    ]
    results = []
    for name, parts in [("ours", (ccx.user("STEEL", 7), ccx.user("PLY", 0))),
                        ("own", (own("OWNSTEEL", OWN_J2), own("OWNPLY", OWN_PLY)))]:
        parts = [(*part, [cell]) for cell, part in enumerate(parts)]
        laws = [("STEEL", J2), ("PLY", PLY)]
        results.append(calculix(f"friction_{name}", mesh, parts, supports, laws, extra=contact))
    a, b = results
    assert a.code == 0 and b.code == 0 and len(a.increments) == 10, tail(a)
    assert len(a.rows) == len(b.rows) and ccx.differs(a, b) <= 1e-6, ccx.differs(a, b)


@test
def calculix_runs_a_learned_law_on_two_threads():
    states = Law(LIBRARY, LEARNED, 6).states
    mesh = ogs.block((3, 2, 2), bend=0.05)
    results = [
        calculix(f"learned{threads}", mesh, ccx.user("LAW", states), ccx_pulled(mesh), ("LAW", LEARNED), threads=threads)
        for threads in (1, 2)
    ]
    assert all(result.code == 0 for result in results), tail(results[0])
    assert ccx.differs(*results) <= 1e-7
    assert max(results[0].iterations) <= 6, results[0].iterations


def tensors(result):
    """Stresses that *EL PRINT wrote, [increments, points, 3, 3]."""
    increments = len(result.increments)
    rows = np.array([row[2:] for row in result.rows if len(row) == 8])
    return rows[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]].reshape(increments, -1, 3, 3)


def turned(axis, angle):
    """A rotation about an axis."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def nonlinear(law, states, constants=(1.0,)):
    return ccx.user("LAW", states, constants, "ABAQUSNL"), ("LAW", law)


@test
def calculix_asks_in_the_logarithmic_strain():
    # Homogeneous, large and turned. CalculiX takes the answer for Cauchy's stress, Kirchhoff's over det F; the
    # third constant leaves it at Kirchhoff's.
    end = np.array([[1.1, 0.1, 0.05], [-0.05, 0.95, 0.04], [0.02, 0.05, 1.05]])
    mesh = ogs.block((2, 2, 2), bend=0.05)
    outside = mesh.where(lambda x, y, z: (x % 1 == 0) | (y % 1 == 0) | (z % 1 == 0))
    supports = [([n], dict(enumerate((end - np.eye(3)) @ mesh.nodes[n]))) for n in outside]
    left, values, _ = np.linalg.svd(end)
    logs = np.log(values)
    kirchhoff = left @ np.diag(2 * SHEAR * (logs - logs.mean()) + BULK * logs.sum()) @ left.T
    for constants, volume in [((1.0,), np.linalg.det(end)), ((1.0, 1.0), np.linalg.det(end)), ((1.0, 0.0, 1.0), 1.0)]:
        material, library = nonlinear(ELASTIC, 0, constants)
        result = calculix("hencky", mesh, material, supports, library, nonlinear=True, control="0.25,1.")
        assert result.code == 0 and len(result.increments) == 4, tail(result)
        expected = kirchhoff / volume
        assert np.abs(tensors(result)[-1] - expected).max() <= 2e-7 * np.abs(expected).max(), constants


@test
def calculix_turns_a_law_with_its_material():
    # A stretch, then rotations of the whole: the stress turns with the material, and the state of the
    # law stays, also where the law is not isotropic.
    stretch = np.eye(3) + 1e-3 * np.array([[3, 1, 0.5], [1, -1, 0.8], [0.5, 0.8, -0.5]])
    turns = [turned((1, 2, 3), np.radians(10 * k)) for k in range(10)]
    mesh = ogs.block((1, 1, 1))
    moves = np.array([(turn @ stretch - np.eye(3)) @ mesh.nodes.T for turn in turns])
    supports = [([n], {c: moves[:, c, n] for c in range(3)}) for n in range(8)]
    for name, law in [("ply", PLY), ("chaboche", CHABOCHE), ("learned", LEARNED)]:
        states = {"ply": 0, "chaboche": 13}.get(name) if name != "learned" else Law(LIBRARY, LEARNED, 6).states
        material, library = nonlinear(law, states)
        result = calculix(f"turns_{name}", mesh, material, supports, library, nonlinear=True, control="1.,1.")
        assert result.code == 0 and len(result.increments) == 10, tail(result)
        stress = tensors(result)
        for turn, found in zip(turns, stress):
            expected = turn @ stress[0] @ turn.T
            assert np.abs(found - expected).max() <= 3e-7 * np.abs(stress[0]).max(), (name, found[0], expected[0])


@test
def calculix_hears_of_an_interface_in_the_wrong_step():
    # The line to write stands in the message, and the job does not go on.
    mesh = ogs.block((1, 1, 1))
    small, logarithmic = ccx.user("LAW", 7), ccx.user("LAW", 7, interface="ABAQUSNL")
    stored = ccx.user("LAW", 16, (1.0, 2.0), "ABAQUSNL")
    cases = {
        "green": (small, True, "write *MATERIAL,NAME=@ABAQUSNL_LAW"),
        "linear": (logarithmic, False, "needs *STEP,NLGEOM"),
        "stored": (stored, True, "PROPS(2) = 2 is for Abaqus"),
        "native": (("@LAW", [line.replace("ABAQUS_", "") for line in small[1]]), False, "write *MATERIAL,NAME=@ABAQUS_LAW"),
    }
    for name, (material, geometry, reason) in cases.items():
        result = calculix(f"step_{name}", mesh, material, ccx_pulled(mesh), ("LAW", J2), nonlinear=geometry)
        assert result.code >= 0, (name, result.code, tail(result))
        assert reason in result.log, (name, tail(result))
        assert not result.increments or result.increments[-1] < 1.0, (name, result.increments)
        # Once, not for every point.
        assert sum(reason in line for line in result.log.splitlines()) <= 3, (name, tail(result))


@test
def calculix_has_a_frequency_step_after_a_nonlinear_one():
    # The frequencies of a loaded part, with its own elasticity and with ours.
    mesh = ogs.block((2, 2, 6), (1.0, 1.0, 6.0))
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
    supports = [(low, {0: 0.0, 1: 0.0, 2: 0.0}), (high, {2: 0.01})]
    frequencies = []
    for name, material, library in [("ours", *nonlinear(ELASTIC, 0)), ("own", own("OWN", ["*ELASTIC", f"{YOUNG},{POISSON}"]), None)]:
        name_, lines = material
        material = name_, [*lines, "*DENSITY", "7.8e-9"]
        more = ["*STEP,PERTURBATION", "*FREQUENCY", "4", "*END STEP"]
        result = calculix(f"frequency_{name}", mesh, material, supports, library, nonlinear=True, control="0.5,1.", steps_after=more)
        assert result.code == 0 and "NLGEOM" not in result.log, tail(result)
        table = (WORK / "ccx" / f"frequency_{name}" / "job.dat").read_text().split("E I G E N V A L U E   O U T P U T")[1]
        rows = [line.split() for line in table.splitlines()]
        frequencies.append([float(row[3]) for row in rows if len(row) == 5 and row[0].isdigit()][:4])
    one, other = map(np.array, frequencies)
    assert len(one) == 4 and np.abs(one / other - 1).max() < 3e-3, frequencies


@test
def calculix_bends_a_bar_far():
    # Newton's method converges as fast as with its own law of elasticity.
    mesh = ogs.block((2, 2, 6), (1.0, 1.0, 6.0), bend=0.05)
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
    supports = [(low, {0: 0.0, 1: 0.0, 2: 0.0}), (high, {0: 1.5, 2: -0.2})]
    options = dict(nonlinear=True, control="0.1,1.")
    material, library = nonlinear(ELASTIC, 0)
    ours = calculix("bends", mesh, material, supports, library, **options)
    own = calculix("bends_own", mesh, ("OWN", ["*MATERIAL,NAME=OWN", "*ELASTIC", f"{YOUNG},{POISSON}"]), supports, **options)
    assert ours.code == 0 and len(ours.increments) == 10, tail(ours)
    print(f"    {max(ours.iterations)} iterations, its own law {max(own.iterations)}", end="")
    assert max(ours.iterations) <= max(own.iterations) + 2, (ours.iterations, own.iterations)


@test
def calculix_cuts_a_step_that_a_law_refuses():
    mesh = ogs.block((2, 2, 2), bend=0.05)
    options = dict(direct=False, control="0.5,1.,1e-5,0.5")
    # Behind the name of the library stands that of the function in it.
    material = ccx.user("FAULTS_FAILS", 7)
    a = calculix("cut", mesh, material, ccx_pulled(mesh), ("FAULTS", J2, FAULTS), **options)
    assert a.code == 0 and a.increments, tail(a)
    assert len(a.increments) > 2 and max(a.attempts) > 1, (a.increments, a.attempts)
    b = calculix("spoilt", mesh, ccx.user("FAULTS_SPOILS", 7), ccx_pulled(mesh), ("FAULTS", J2, FAULTS), **options)
    assert a.increments == b.increments and ccx.differs(a, b) == 0.0
    c = calculix("remembered", mesh, ccx.user("FAULTS_REMEMBERED", 7), ccx_pulled(mesh), ("FAULTS", J2, FAULTS), **options)
    assert c.code != 0 or len(c.rows) != len(a.rows) or ccx.differs(a, c) > 1e-6


@test
def calculix_faults_are_found():
    mesh = ogs.block((2, 2, 2), bend=0.05)
    own = calculix("faults_own", mesh, ccx.user("LAW", 0), ccx_pulled(mesh), ("LAW", PLY))
    for fault in ("SWAPPED", "ENGINEERING"):
        wrong = calculix(f"faults_{fault}", mesh, ccx.user(f"FAULTS_{fault}", 0), ccx_pulled(mesh), ("FAULTS", PLY, FAULTS))
        assert wrong.code != 0 or len(wrong.rows) != len(own.rows) or ccx.differs(wrong, own) > 1e-4, fault


@test
def calculix_outlives_what_goes_wrong():
    mesh = ogs.block((1, 1, 1))
    supports = ccx_pulled(mesh)
    cases = {
        "panics": (ccx.user("FAULTS_PANICS", 7), ("FAULTS", J2, FAULTS), "the law panicked"),
        "nan": (ccx.user("FAULTS_NAN", 7), ("FAULTS", J2, FAULTS), ""),
        "states": (ccx.user("LAW", 6), ("LAW", J2), "NSTATV = 6"),
        "constants": (ccx.user("LAW", 7, (1.0, 0.0, 0.0, 0.0)), ("LAW", J2), "NPROPS = 4"),
        "unit": (ccx.user("LAW", 7, (-1.0,)), ("LAW", J2), "PROPS(1) = -1"),
    }
    for name, (material, library, reason) in cases.items():
        result = calculix(f"wrong_{name}", mesh, material, supports, library)
        assert result.code >= 0, (name, result.code, tail(result))
        assert reason in result.log, (name, tail(result))
        assert not result.increments or result.increments[-1] < 1.0 or name == "nan", name


@test
def an_exported_folder_runs_in_calculix():
    if not CCX.is_file():
        raise Skipped("CalculiX is not here: tests/hosts/calculix builds it")
    for name, model in [("steel", LEARNED), ("ply", ROOT / "materials/carbon_epoxy_as4_3501_6")]:
        folder = WORK / "export" / f"umat_{name}"
        export(model, "umat", name, folder)
        result = ccx.run(CCX, folder, job=name.upper(), libraries=folder)
        assert result.code == 0 and abs(result.increments[-1] - 0.1) < 1, tail(result)
        assert len(result.increments) == 40, result.increments


def main(chosen):
    passed, failed, skipped = 0, 0, 0
    for function in TESTS:
        name = function.__name__.replace("_", " ")
        if chosen and not any(word in name for word in chosen):
            continue
        start = time.monotonic()
        print(f"{name} …", end="", flush=True)
        try:
            function()
            passed += 1
            print(f"    ok, {time.monotonic() - start:.1f} s")
        except Skipped as reason:
            skipped += 1
            print(f"    skipped: {reason}")
        except Exception:
            failed += 1
            print("    FAILED")
            traceback.print_exc(limit=3, file=sys.stdout)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
