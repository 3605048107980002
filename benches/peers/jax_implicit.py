"""The generalized standard material in JAX: backward Euler, so that an update is the root of an
equation, found by Newton's method with the Jacobian in closed form, and implicit differentiation.

`custom_root` is the library's own way, point by point under `vmap`. `adjoint` is what an expert
writes: one `custom_vjp` around the whole history, whose reverse pass inverts all Jacobians at once,
carries the multipliers back in a scan of small products, and takes the gradient of the parameters
from all steps at once. In both, what the strain gives to the energy's layers is taken out of the
scan and of the iteration.
"""

import jax
import jax.numpy as jnp

COMPONENTS = 6
STRAIN, STATE = slice(COMPONENTS), slice(COMPONENTS, None)
PASSES = 50


def prepared(p):
    """Parameters as the law sees them: what makes the potentials convex is positive, and both are
    anchored with their slopes at zero."""
    positive = lambda name: name.endswith(("below.weight", "output.weight"))
    p = {name: jax.nn.softplus(v) if positive(name) else v for name, v in p.items()}
    for name in ("energy", "dissipation"):
        zero = jnp.zeros_like(p[f"{name}.quadratic"][0])
        p[f"{name}.anchor"] = jnp.zeros_like(zero)
        p[f"{name}.anchor"] = potential(p, name, zero)[0]
    return p


def from_strain(p, strain, part=STATE):
    """What the strain gives to both layers of the energy and to a part of its gradient."""
    quadratic = p["energy.quadratic"]
    share = lambda i: strain @ p[f"energy.{i}.skip.weight"][:, STRAIN].T
    return share(0), share(1), strain @ (quadratic[:, STRAIN].T @ quadratic[:, part])


def potential(p, name, x, others=(0, 0, 0), part=slice(None)):
    """Gradient of `½ |L x|² + N(x)` less its anchor, with respect to a part of the inputs, and a
    function that applies the Hessian to directions. N is input-convex with two layers; `others` is
    what the inputs outside of the part give."""
    v0, v1 = (p[f"{name}.{i}.skip.weight"][:, part] for i in range(2))
    below, root = p[f"{name}.1.below.weight"], p[f"{name}.quadratic"][:, part]
    quadratic = root.T @ root
    s0 = x @ v0.T + p[f"{name}.0.skip.bias"] + others[0]
    s1 = x @ v1.T + jax.nn.softplus(s0) @ below.T + p[f"{name}.1.skip.bias"] + others[1]
    e0, e1 = jax.nn.sigmoid(s0), jax.nn.sigmoid(s1)
    g1 = p[f"{name}.output.weight"][0] * e1
    back = g1 @ below
    gradient = (back * e0) @ v0 + g1 @ v1 + x @ quadratic + others[2] - p[f"{name}.anchor"][part]
    curvature0, curvature1 = back * e0 * (1 - e0), g1 * (1 - e1)

    def hessian(dx):
        d0 = dx @ v0.T
        d1 = curvature1 * (dx @ v1.T + (e0 * d0) @ below.T)
        return (curvature0 * d0 + e0 * (d1 @ below)) @ v0 + d1 @ v1 + dx @ quadratic

    return gradient, hessian


def matrix(apply, like):
    """A linear map of `like [.., n]` as `[.., n, n]`."""
    n = like.shape[-1]
    units = jnp.eye(n, dtype=like.dtype).reshape(n, *[1] * (like.ndim - 1), n)
    return jnp.moveaxis(apply(units), 0, -1)


def equation(p, others, dt, old, z):
    """The residual, and a function that applies its Jacobian."""
    slope, energy = potential(p, "energy", z, others, STATE)
    flow, dissipation = potential(p, "dissipation", -slope)
    return z - old - dt * flow, lambda dz: dz + dt * dissipation(energy(dz))


def solve(matrix, right):
    """`matrix [.., n, n]⁻¹ right [.., n, m]` by elimination without pivots: the matrix is one plus a
    product of semidefinite ones. A call of LAPACK for each small matrix is several times slower."""
    for k in range(matrix.shape[-1]):
        pivot = matrix[..., k : k + 1, k : k + 1]
        row, right_row = matrix[..., k : k + 1, :] / pivot, right[..., k : k + 1, :] / pivot
        factor = matrix[..., :, k : k + 1].at[..., k, :].add(-1)
        matrix, right = matrix - factor * row, right - factor * right_row
    return right


def newton(p, others, dt, old):
    """The root `z`; the last step is quadratically convergent."""
    tolerance = jnp.finfo(old.dtype).eps ** 0.5

    def advance(now):
        z, _, passes = now
        value, jacobian = equation(p, others, dt, old, z)
        step = solve(matrix(jacobian, z), value[..., None])[..., 0]
        return z - step, jnp.abs(step).max(), passes + 1

    searching = lambda now: (now[1] > tolerance) & (now[2] < PASSES)
    start = old, jnp.array(jnp.inf, old.dtype), 0
    return jax.lax.while_loop(searching, advance, start)[0]


def root(p, others, dt, old):
    """The new state of one point, differentiable."""
    residual = lambda z: equation(p, others, dt, old, z)[0]
    search = lambda residual, old: newton(*jax.lax.stop_gradient((p, others, dt)), old)
    along = lambda g, y: solve(jax.jacobian(g)(y), y[:, None])[:, 0]
    return jax.lax.custom_root(residual, jax.lax.stop_gradient(old), search, along)


def virgin(p, strain):
    return jnp.zeros((strain.shape[1], p["dissipation.quadratic"].shape[0]), strain.dtype)


def evolve_by_custom_root(p, strain, dt):
    """Internal variables `[rows, records, 6]`."""

    def advance(z, step):
        z = jax.vmap(root, (None, 0, 0, 0))(p, *step, z)
        return z, z

    return jax.lax.scan(advance, virgin(p, strain), (from_strain(p, strain), dt))[1]


@jax.custom_vjp
def evolve_with_adjoint(p, strain, dt):
    def advance(z, step):
        z = newton(p, *step, z)
        return z, z

    return jax.lax.scan(advance, virgin(p, strain), (from_strain(p, strain), dt))[1]


def forward(p, strain, dt):
    z = evolve_with_adjoint(p, strain, dt)
    return z, (p, strain, dt, z)


def backward(kept, z_bar):
    p, strain, dt, z = kept
    old = jnp.concatenate([virgin(p, strain)[None], z[:-1]])
    equations = lambda p: equation(p, from_strain(p, strain), dt, old, z)
    _, pull = jax.vjp(lambda p: equations(p)[0], p)
    jacobian = matrix(equations(p)[1], z)
    inverse = solve(jacobian, jnp.broadcast_to(jnp.eye(z.shape[-1], dtype=z.dtype), jacobian.shape))

    def back(multiplier, step):
        inverse, z_bar = step
        multiplier = jnp.einsum("rij,ri->rj", inverse, z_bar + multiplier)
        return multiplier, multiplier

    _, multipliers = jax.lax.scan(back, jnp.zeros_like(z[0]), (inverse, z_bar), reverse=True)
    return *pull(-multipliers), jnp.zeros_like(strain), jnp.zeros_like(dt)


evolve_with_adjoint.defvjp(forward, backward)
EVOLVE = {"custom_root": evolve_by_custom_root, "adjoint": evolve_with_adjoint}


def stress(p, strain, z):
    return potential(p, "energy", jnp.concatenate([strain, z], axis=-1))[0][..., STRAIN]


def histories(p, inputs, form):
    """Stress `[rows, records, 6]`; the dissipation is never negative and has no penalty."""
    p, strain, dt = prepared(p), inputs[..., STRAIN], inputs[..., COMPONENTS:]
    return stress(p, strain, EVOLVE[form](p, strain, dt)), None


def point(p, strain, dt, old):
    p = prepared(p)
    z = root(p, from_strain(p, strain), dt, old)
    return stress(p, strain, z), (z, None)


def by_hand(p, strain, dt, old):
    """`C = ψ_εε − ψ_εz (1 + dt H ψ_zz)⁻¹ dt H ψ_zε`, `H` the Hessian of the dissipation potential."""
    p = prepared(p)
    z = newton(p, from_strain(p, strain), dt, old)
    x = jnp.concatenate([strain, z], axis=-1)
    slope, energy = potential(p, "energy", x)
    _, dissipation = potential(p, "dissipation", -slope[..., STATE])
    curvature = matrix(energy, x)
    flow = jnp.moveaxis(dissipation(jnp.moveaxis(curvature[..., STATE, :], -1, 0)), 0, -1)
    along = dt[..., None] * flow
    moved = solve(jnp.eye(z.shape[-1], dtype=z.dtype) + along[..., STATE], along[..., STRAIN])
    tangent = curvature[..., STRAIN, STRAIN] - curvature[..., STRAIN, STATE] @ moved
    return slope[..., STRAIN], z, tangent
