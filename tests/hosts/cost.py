"""What a learned law costs in a host: a bar of 51,968 integration points in OpenGeoSys, with its own
von Mises law, with our J2 and with the learned law, one after the other on one thread.

    tests/hosts/run cost
"""

import re
import sys

import numpy as np

import main
import ogs


LENGTH = 406


def measure(times=2):
    # Slender, so that the linear system costs little. Pulled along its axis: all of it flows.
    mesh = ogs.block((4, 4, LENGTH), (1.0, 1.0, 20.0), bend=0.03)
    low, high = mesh.where(lambda x, y, z: z == 0), mesh.where(lambda x, y, z: z == z.max())
    supports = [ogs.Support(low, {c: "0" for c in range(3)}), ogs.Support(high, {0: "0", 1: "0", 2: "0.08*t"})]
    ends = main.evenly(2)
    laws = {
        "its own von Mises": ogs.ehlers(main.BULK, main.SHEAR, main.YIELD, main.HARDENING),
        "J2": main.ours(main.J2),
        "learned": main.ours(main.LEARNED),
    }
    print(f"{8 * len(mesh.cells)} integration points")
    rows = {name: [] for name in laws}
    for _ in range(times):
        for name, law in laws.items():
            result = main.run_ogs("cost", mesh, law, supports, ends, tolerance=1e-8)
            assert result.code == 0, main.tail(result)
            assembly = [float(t) for t in re.findall(r"Assembly took ([0-9.e+-]+) s", result.log)]
            total = float(re.search(r"Simulation completed. It took ([0-9.e+-]+) s", result.log).group(1))
            rows[name].append((np.median(assembly), total, sum(result.iterations)))
    best = {name: min(row) for name, row in rows.items()}
    base = best["its own von Mises"]
    print(f"{'law':20} {'assembly':>10} {'ratio':>6} {'job':>8} {'ratio':>6}  iterations")
    for name, (assembly, total, count) in best.items():
        print(f"{name:20} {assembly:8.3f} s {assembly / base[0]:6.2f} {total:6.1f} s {total / base[1]:6.2f}  {count}")


if __name__ == "__main__":
    sys.exit(measure())
