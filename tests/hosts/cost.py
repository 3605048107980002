"""What a learned law costs in a host: a bar of 51,968 integration points in OpenGeoSys, and one of 6,016 in
CalculiX where it is built, with the host's own plasticity, with our J2 and with the learned law, one after the
other on one thread.

    tests/hosts/run cost [MODEL …]      # other laws as well
"""

import re
import resource
import sys
from pathlib import Path

import numpy as np

import ccx
import main
import ogs

# Cells along the bar.
LENGTH = 406


def measure(models, times=2):
    # Slender, so that the linear system costs little. Pulled along its axis: all of it flows.
    mesh = ogs.block((4, 4, LENGTH), (1.0, 1.0, 20.0), bend=0.03)
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
    supports = [ogs.Support(low, {c: "0" for c in range(3)}), ogs.Support(high, {0: "0", 1: "0", 2: "0.08*t"})]
    ends = main.evenly(2)
    laws = {
        "its own von Mises": ogs.ehlers(main.BULK, main.SHEAR, main.YIELD, main.HARDENING),
        "J2": main.ours(main.J2),
        "learned": main.ours(main.LEARNED),
        **{model.name: main.ours(model) for model in models},
    }
    print(f"{8 * len(mesh.cells)} integration points")
    assemblies, jobs, counts = {name: [] for name in laws}, {name: [] for name in laws}, {}
    for _ in range(times):
        for name, law in laws.items():
            before = processor_time()
            result = main.run_ogs("cost", mesh, law, supports, ends, tolerance=1e-8)
            jobs[name].append(processor_time() - before)
            assert result.code == 0, main.tail(result)
            found = re.findall(r"Assembly took ([0-9.e+-]+) s", result.log)
            assemblies[name].append([float(t) for t in found])
            counts[name] = sum(result.iterations)
    # The same iteration in every run: what other programs took from it is in the longer times.
    assembly = {name: np.median(np.min(runs, axis=0)) for name, runs in assemblies.items()}
    job = {name: min(times) for name, times in jobs.items()}
    base = "its own von Mises"
    print(f"{'law':24} {'assembly':>10} {'ratio':>6} {'processor':>11} {'ratio':>6}  iterations")
    for name in laws:
        print(
            f"{name:24} {assembly[name]:8.3f} s {assembly[name] / assembly[base]:6.2f} "
            f"{job[name]:9.1f} s {job[name] / job[base]:6.2f}  {counts[name]}"
        )


def measure_calculix(times=2):
    if not main.CCX.is_file():
        print("CalculiX is not here: tests/hosts/calculix builds it")
        return
    mesh = ogs.block((4, 4, 47), (1.0, 1.0, 5.0), bend=0.03)
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
    supports = [(low, {c: 0.0 for c in range(3)}), (high, {0: 0.0, 1: 0.0, 2: 0.04})]
    laws = {
        "its own plasticity": main.own("OWN", main.OWN_J2),
        "J2": ccx.user("STEEL", 7),
        "learned": ccx.user("LEARNED", 52),
    }
    libraries = [("STEEL", main.J2), ("LEARNED", main.LEARNED)]
    print(f"CalculiX, {8 * len(mesh.cells)} integration points")
    jobs, counts = {name: [] for name in laws}, {}
    for _ in range(times):
        for name, law in laws.items():
            before = processor_time()
            result = main.calculix(f"cost_{law[0].strip('@')}", mesh, law, supports, libraries)
            jobs[name].append(processor_time() - before)
            counts[name] = sum(result.iterations)
    base = min(jobs["its own plasticity"])
    for name, seconds in jobs.items():
        print(f"{name:24} {min(seconds):9.1f} s {min(seconds) / base:6.2f}  {counts[name]} iterations")


def processor_time():
    """Of the programs that have ended, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    measure([Path(model).resolve() for model in sys.argv[1:]])
    measure_calculix()
