"""Elementwise functions and their derivatives to twice the digits of double precision.

python functions.py > functions.csv                          the table that the tests read
python functions.py --dense 100000 > target/functions.csv    random points, for
    cargo test --release --lib -- --ignored densely          which prints the worst of them

Needs mpmath. Every value is a double and what is missing to it.
"""

import math
import random
import struct
import sys

from mpmath import exp, expm1, log1p, mp, mpf

mp.dps = 70

# Where `densely` found the largest errors, for every function, format and way of rounding.
WORST = """
0.20408545434474945 0.2544568181037903 0.2775304317474365 0.34657359028073226 0.34657359056554876
0.3476316034793854 0.5198632051274261 0.5201506018638611 0.6656268239021301 0.6871816515922546
0.8664547204971313 1.111662745475769 1.252211093902588 1.3173677961050576 1.330966591835022
1.696144938468933 1.7091087102890015 2.032254934310913 2.060286715303741 2.0617647959907885
2.064478139269086 2.4112565517425537 2.748675584793091 3.118015766143799 3.837185859680176
4.156510829925537 4.1567792892456055 4.785757064819336 4.815611827870473 16.232234954833984
17.022254943847656 26.670425415039062 36.34838364032299 71.06319427490234 353.852981067313
""".split()

# Where the reduction of e^x and the form of ln(1 + e^-x) change, and where derivatives vanish.
BRANCHES = [0.34657359027997264, 0.8813735870195430, 1.0397207708399179, 1.3169578969248167]
BRANCHES += [branch / 2 for branch in BRANCHES]
# Near these, results leave the normal numbers: of single precision, and of double precision.
ENDS = {"f": [87.33, 88.37, 43.66, 44.36], "d": [708.39, 709.43, 354.19, 354.89]}
# Largest argument: beyond, e^x saturates.
TOP = 709.43


def rounded(x, form):
    """The nearest number of a format; those of single precision serve both."""
    return struct.unpack(form, struct.pack(form, x))[0]


def neighbour(x, form, steps):
    bits = {"f": "i", "d": "q"}[form]
    (number,) = struct.unpack(bits, struct.pack(form, x))
    return struct.unpack(form, struct.pack(bits, number + steps))[0]


def table_points():
    """Sizes of the arguments of the table."""
    random.seed(1)
    points = [0.0, 2.0**-149, 2.0**-126, 2.0**-24, 5e-324, 2.0**-1022, 2.0**-53, 1.0]
    points += [rounded(random.uniform(1, 10) * 10.0**power, "f") for power in range(-44, 2, 3)]
    points += [10.0**power for power in range(-320, -45, 40)]
    points += [rounded(random.uniform(0, 5), "f") for _ in range(30)]
    points += [rounded(random.uniform(5, 87), "f") for _ in range(15)]
    points += [random.uniform(87, 700) for _ in range(10)]
    for form, ends in ENDS.items():
        points += [rounded(end, form) for end in ends]
        for branch in BRANCHES:
            points += [neighbour(rounded(branch, form), form, steps) for steps in (-1, 0, 1)]
    return points + [float(x) for x in WORST]


def dense_points(count, seed=2):
    """As many random sizes in each format: dense where the functions bend, branch or end."""
    random.seed(seed)
    for form, least in (("f", -44.8), ("d", -323.3)):
        low, top = ENDS[form][:2]
        kinds = [
            (6, lambda: random.uniform(0, 5)),
            (3, lambda: random.uniform(0, 45)),
            (2, lambda: random.uniform(0, low)),
            (2, lambda: 10 ** random.uniform(least, 2)),
            (2, lambda: 10 ** random.uniform(-4, 0)),
            # Half an odd multiple of ln 2, or a quarter: r = ±½ ln 2.
            (2, lambda: (random.randrange(24) + 0.5) * 0.5 * math.log(2) * random.gauss(1, 1e-5)),
            (2, lambda: random.choice(BRANCHES) * (1 + random.choice((-1, 1)) * 10 ** random.uniform(-15, -1))),
            (1, lambda: random.choice(ENDS[form]) - random.uniform(0, 1)),
        ]
        weights = [weight for weight, _ in kinds]
        for _, draw in random.choices(kinds, weights, k=count):
            yield rounded(abs(draw()), form)


def values(x):
    x = mpf(x)
    sign = -1 if x < 0 else 1

    def parts(size):
        """e^-size, and 1/(1 + e^-size) with its slope and 1 - 2 e^-size/(1 + e^-size)."""
        e = exp(-size)
        return e, 1 / (1 + e), e / (1 + e) ** 2, -expm1(-size) / (1 + e)

    e, s, slope, odd = parts(abs(x))
    _, _, quarter, tanh = parts(2 * abs(x))
    rise = 4 * quarter
    return {
        "exp": exp(x),
        "expm1": expm1(x),
        "softplus": log1p(e) + max(x, 0),
        "sigmoid": s if x > 0 else e * s,
        "sigmoid1": slope,
        "sigmoid2": -sign * slope * odd,
        "sigmoid3": slope * (1 - 6 * slope),
        "tanh": sign * tanh,
        "tanh1": rise,
        "tanh2": -2 * sign * tanh * rise,
        "tanh3": rise * (4 - 6 * rise),
    }


def main():
    dense = "--dense" in sys.argv
    points = dense_points(int(sys.argv[2])) if dense else table_points()
    print("x," + ",".join(f"{name},rest" for name in values(0.0)))
    for size in sorted({x for x in points if x <= TOP}):
        for x in {size, -size}:
            cells = [repr(x)]
            for value in values(x).values():
                nearest = float(value)
                cells += [repr(nearest), f"{float(value - mpf(nearest)):.2g}"]
            print(",".join(cells))


if __name__ == "__main__":
    main()
