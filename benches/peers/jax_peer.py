"""JAX: training steps by `jit` over `lax.scan`, and updates with consistent tangents by `jit` of the
hand-derived tangent or of `vmap(jacfwd)`, `vmap(jacrev)`.

What does not depend on the hidden state (the input's share of the gates) or feeds nothing back (the
readout, the free energy of `iv`) is taken out of the scan, over all steps at once.
"""

from functools import partial

import jax
import jax.numpy as jnp
import jax_implicit
import optax
from protocol import gradient_errors, point_errors, serve

jax.config.update("jax_enable_x64", True)
COMPONENTS = 6
GROUPS = 3  # reset, update, candidate


# Training


def dense(p, name, x):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def gru_histories(p, inputs, form):
    """Stress `[rows, records, 6]` of the gated recurrent unit; it has no dissipation."""
    states = p["recurrent.weight"].shape[1]

    def cell(h, from_input):
        from_state = dense(p, "recurrent", h)
        gates = jax.nn.sigmoid(from_input[:, : 2 * states] + from_state[:, : 2 * states])
        r, z = jnp.split(gates, 2, axis=1)
        n = jnp.tanh(from_input[:, 2 * states :] + r * from_state[:, 2 * states :])
        h = n + z * (h - n)
        return h, h

    start = jnp.zeros((inputs.shape[1], states), inputs.dtype)
    _, h = jax.lax.scan(cell, start, dense(p, "input", inputs), unroll=UNROLL[form])
    return dense(p, "readout", h), None


def energy_gradient(p, strain, z):
    """`[∂ψ/∂ε, ∂ψ/∂z]` of the softplus energy in closed form, over any leading dimensions."""
    x0 = dense(p, "energy.0", jnp.concatenate([strain, z], axis=-1))
    x1 = dense(p, "energy.1", jax.nn.softplus(x0))
    g1 = p["energy.output.weight"][0] * jax.nn.sigmoid(x1)
    g0 = (g1 @ p["energy.1.weight"]) * jax.nn.sigmoid(x0)
    g = g0 @ p["energy.0.weight"]
    return g[..., :COMPONENTS], g[..., COMPONENTS:]


def iv_histories(p, inputs, form):
    """Stress and dissipation of the internal variables driven by a tanh network."""
    states = p["evolution.output.weight"].shape[0]
    strain, dt = inputs[..., :COMPONENTS], inputs[..., COMPONENTS:]
    from_strain = strain @ p["evolution.0.weight"][:, :COMPONENTS].T + p["evolution.0.bias"]
    of_state = p["evolution.0.weight"][:, COMPONENTS:].T

    def advance(z, step):
        from_strain, dt = step
        rate = dense(p, "evolution.output", jnp.tanh(from_strain + z @ of_state))
        z = z + dt * rate
        return z, z

    start = jnp.zeros((inputs.shape[1], states), inputs.dtype)
    _, z = jax.lax.scan(advance, start, (from_strain, dt), unroll=UNROLL[form])
    stress, gradient = energy_gradient(p, strain, z)
    increment = jnp.diff(z, axis=0, prepend=start[None])
    return stress, -jnp.sum(gradient * increment, axis=-1)


UNROLL = {"jit+scan": 1, "jit+scan, unroll 4": 4}
# Roll-out, and its forms.
TRAINING = {
    "gru": (gru_histories, UNROLL),
    "iv": (iv_histories, UNROLL),
    "gsm": (jax_implicit.histories, jax_implicit.EVOLVE),
}


def training(task, dtype, form, arrays):
    inputs, target = map(jnp.asarray, arrays.histories(dtype))
    parameters = {k: jnp.asarray(v) for k, v in arrays.parameters(dtype).items()}
    scale = float(arrays["dissipation_scale"])
    weight = float(arrays["dissipation_weight"])
    histories, _ = TRAINING[task.split("-")[0]]

    def loss(p, inputs, target):
        stress, dissipation = histories(p, inputs, form)
        value = jnp.mean((stress - target) ** 2)
        if dissipation is not None:
            value += weight * jnp.mean(jax.nn.relu(-dissipation / scale) ** 2)
        return value

    adam = optax.adam(float(arrays["learning_rate"]))
    differentiate = jax.value_and_grad(loss)

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(p, moments, inputs, target):
        value, gradient = differentiate(p, inputs, target)
        updates, moments = adam.update(gradient, moments, p)
        return optax.apply_updates(p, updates), moments, value

    # The buffers are donated: the step works on its own copy.
    own = jax.tree.map(jnp.copy, parameters)
    now = [own, adam.init(own)]

    def call():
        now[0], now[1], value = step(*now, inputs, target)
        jax.block_until_ready((now, value))

    def errors():
        value, gradient = jax.jit(differentiate)(parameters, inputs, target)
        return gradient_errors(arrays, value, gradient)

    return call, errors


# Inference: one point `(ε [6], dt [1], z [s]) → (σ [6], z' [s])`, and batches with the tangent


def gru_point(p, strain, dt, h):
    from_input = dense(p, "input", jnp.concatenate([strain, dt], axis=-1))
    from_state = dense(p, "recurrent", h)
    r, z, n = jnp.split(from_input, GROUPS, axis=-1)
    hr, hz, hn = jnp.split(from_state, GROUPS, axis=-1)
    r, z = jax.nn.sigmoid(r + hr), jax.nn.sigmoid(z + hz)
    n = jnp.tanh(n + r * hn)
    new = n + z * (h - n)
    return dense(p, "readout", new), (new, (r, z, n, hn))


def gru_by_hand(p, strain, dt, h):
    """The slopes of the three gates against one matrix, `W_o` times the gates' weights."""
    stress, (new, (r, z, n, hn)) = gru_point(p, strain, dt, h)
    candidate = (1 - z) * (1 - n * n)
    reset = candidate * hn * r * (1 - r)
    update = (h - n) * z * (1 - z)
    slopes = jnp.concatenate([reset, update, candidate], axis=-1)
    weights = p["input.weight"][:, :COMPONENTS].reshape(GROUPS, -1, COMPONENTS)
    matrix = jnp.einsum("ik,gkj->gkij", p["readout.weight"], weights)
    tangent = slopes @ matrix.reshape(slopes.shape[-1], COMPONENTS**2)
    return stress, new, tangent.reshape(-1, COMPONENTS, COMPONENTS)


def energy_point(p, strain, dt, z):
    _, gradient = energy_gradient(p, strain, z)
    z = z - dt * (gradient @ p["mobility.weight"].T)
    return energy_gradient(p, strain, z)[0], (z, None)


def energy_hessian(p, strain, z):
    """Gradient, and a function that applies the Hessian to directions `[6, points, n]`."""
    w0, w1 = p["energy.0.weight"], p["energy.1.weight"]
    x0 = dense(p, "energy.0", jnp.concatenate([strain, z], axis=-1))
    x1 = dense(p, "energy.1", jax.nn.softplus(x0))
    s0, s1 = jax.nn.sigmoid(x0), jax.nn.sigmoid(x1)
    back = (p["energy.output.weight"][0] * s1) @ w1
    curvature0 = back * s0 * (1 - s0)
    curvature1 = p["energy.output.weight"][0] * s1 * (1 - s1)

    def apply(dx0):
        along = (curvature1 * ((s0 * dx0) @ w1.T)) @ w1
        return (s0 * along + curvature0 * dx0) @ w0

    return (back * s0) @ w0, apply


def energy_by_hand(p, strain, dt, z):
    w0 = p["energy.0.weight"]
    along_strain = w0[:, :COMPONENTS].T[:, None, :]
    gradient, hessian = energy_hessian(p, strain, z)
    mobility = p["mobility.weight"].T
    new = z - dt * (gradient[:, COMPONENTS:] @ mobility)
    slope = -dt * (hessian(along_strain)[..., COMPONENTS:] @ mobility)
    gradient, hessian = energy_hessian(p, strain, new)
    tangent = hessian(along_strain + slope @ w0[:, COMPONENTS:].T)[..., :COMPONENTS]
    return gradient[:, :COMPONENTS], new, tangent.transpose(1, 2, 0)


def j2_constants(p):
    shear = p["young"] / (2 * (1 + p["poisson"]))
    bulk = p["young"] / (3 * (1 - 2 * p["poisson"]))
    return shear, bulk, 3 * shear + p["isotropic"] + p["kinematic"]


def j2_trial(p, strain, state):
    """Radial return; the yield condition is linear in the plastic increment."""
    shear, bulk, slope = j2_constants(p)
    plastic, accumulated, alpha = state[..., :6], state[..., 6:7], state[..., 7:]
    elastic = strain - plastic
    volume = jnp.sum(elastic[..., :3], axis=-1, keepdims=True)
    unit = jnp.array([1, 1, 1, 0, 0, 0], strain.dtype)
    deviator = 2 * shear * (elastic - volume / 3 * unit)
    xi = deviator - 2 / 3 * p["kinematic"] * alpha
    norm = jnp.sqrt(jnp.sum(xi * xi, axis=-1, keepdims=True))
    excess = jnp.sqrt(1.5) * norm - p["yield"] - p["isotropic"] * accumulated
    increment = jnp.maximum(excess, 0) / slope
    normal = xi / norm
    flow = jnp.sqrt(1.5) * increment * normal
    stress = bulk * volume * unit + deviator - 2 * shear * flow
    new = jnp.concatenate([plastic + flow, accumulated + increment, alpha + flow], axis=-1)
    return stress, new, normal, norm, increment


def j2_point(p, strain, dt, state):
    stress, new, *_ = j2_trial(p, strain, state)
    return stress, (new, None)


def j2_by_hand(p, strain, dt, state):
    shear, bulk, slope = j2_constants(p)
    stress, new, normal, norm, increment = j2_trial(p, strain, state)
    unit = jnp.array([1, 1, 1, 0, 0, 0], strain.dtype)
    volume = jnp.outer(unit, unit)
    deviator = jnp.eye(6, dtype=strain.dtype) - volume / 3
    turn = (6 * shear**2 * increment / (jnp.sqrt(1.5) * norm))[..., None]
    along = jnp.where(increment > 0, 6 * shear**2 / slope, 0.0)[..., None] - turn
    dyad = normal[..., :, None] * normal[..., None, :]
    tangent = bulk * volume + (2 * shear - turn) * deviator - along * dyad
    return stress, new, tangent


POINTS = {
    "A": (gru_point, gru_by_hand),
    "B": (energy_point, energy_by_hand),
    "C": (j2_point, j2_by_hand),
    "D": (jax_implicit.point, jax_implicit.by_hand),
}


def inference(task, dtype, form, arrays):
    point, by_hand = POINTS[task[0]]
    p = {k: jnp.asarray(v) for k, v in arrays.parameters(dtype).items()}
    points = tuple(map(jnp.asarray, arrays.points(dtype)))

    def differentiated(p, strain, dt, state):
        jacobian = {"vmap(jacfwd)": jax.jacfwd, "vmap(jacrev)": jax.jacrev}[form]

        def one(strain, dt, state):
            def twice(strain):
                stress, (new, _) = point(p, strain, dt, state)
                return stress, (stress, new)

            tangent, (stress, new) = jacobian(twice, has_aux=True)(strain)
            return stress, new, tangent

        return jax.vmap(one)(strain, dt, state)

    update = jax.jit(by_hand if form == "by hand" else differentiated)

    def call():
        return jax.block_until_ready(update(p, *points))

    def errors():
        stress, new, tangent = call()
        return point_errors(arrays, new, stress, tangent)

    return call, errors


def forms(task, dtype):
    if task[0] in POINTS:
        return ["by hand", "vmap(jacfwd)", "vmap(jacrev)"]
    return list(TRAINING[task.split("-")[0]][1])


def prepare(task, dtype, form, arrays):
    return (inference if task[0] in POINTS else training)(task, dtype, form, arrays)


if __name__ == "__main__":
    serve("JAX", jax.__version__, forms, prepare)
