"""Writes functions.csv: elementwise functions and their derivatives to 20 digits.

python functions.py > functions.csv    (needs mpmath)
"""

import random
import struct

from mpmath import exp, log1p, mp, mpf, tanh

mp.dps = 400
random.seed(1)


def single(x):
    """The nearest number of single precision, so that one table serves f32 and f64."""
    return struct.unpack("f", struct.pack("f", x))[0]


points = {0.0}
for power in range(-37, 3):
    points.update(single(random.uniform(1.0, 9.9) * 10.0**power) for _ in range(2))
points.update(single(random.uniform(0.0, 5.0)) for _ in range(60))
points.update(single(random.uniform(5.0, 86.0)) for _ in range(30))
points.update(single(random.uniform(86.0, 700.0)) for _ in range(20))
# Where ln(1 + e^-x) and the reduction of e^x change their branch, and where derivatives vanish.
for centre in [0.881373587, 0.34657359, 1.03972077, 0.65847895, 1.31695790, 0.5493061]:
    points.update(single(centre + shift) for shift in (-1e-3, -1e-6, 0.0, 1e-6, 1e-3))

print("x,exp,softplus,sigmoid,sigmoid1,sigmoid2,sigmoid3,tanh,tanh1,tanh2,tanh3")
for size in sorted(points):
    for x in {size, -size}:
        x = mpf(x)
        s = 1 / (1 + exp(-x))
        slope = s * (1 - s)
        y = tanh(x)
        rise = 1 - y * y
        values = [
            exp(x),
            log1p(exp(x)),
            s,
            slope,
            slope * (1 - 2 * s),
            slope * (1 - 6 * slope),
            y,
            rise,
            -2 * y * rise,
            rise * (6 * y * y - 2),
        ]
        print(",".join([repr(float(x))] + [mp.nstr(v, 20, strip_zeros=False) for v in values]))
