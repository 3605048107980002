"""PyTorch: training steps with `nn.GRU`, with loops over the steps and with a compiled step; updates
with consistent tangents derived by hand (eager, `torch.compile`, AOTInductor) and by
`vmap(jacfwd)`.

What does not depend on the hidden state or feeds nothing back is computed for all steps at once,
outside the loop.
"""

import functools
import hashlib
import os
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from protocol import Skip, gradient_errors, point_errors, serve
from torch import nn
from torch.func import jacfwd, vmap

softplus = F.softplus
QUICK = "PEERS_QUICK" in os.environ
COMPONENTS = 6
# `benches/gpu/run` trains on another device.
DEVICE = os.environ.get("PEERS_DEVICE", "cpu")
# Steps that are compiled as one, a divisor of all lengths.
CHUNK = 20
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def linear(weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


# Training


class Gru(nn.Module):
    """The library's own recurrent layer, and a linear readout."""

    names = {
        "input.weight": "gru.weight_ih_l0",
        "input.bias": "gru.bias_ih_l0",
        "recurrent.weight": "gru.weight_hh_l0",
        "recurrent.bias": "gru.bias_hh_l0",
        "readout.weight": "readout.weight",
        "readout.bias": "readout.bias",
    }

    def __init__(self, p):
        super().__init__()
        states, inputs = p["recurrent.weight"].shape[1], p["input.weight"].shape[1]
        self.gru = nn.GRU(inputs, states, dtype=p["input.weight"].dtype)
        self.readout = linear(p["readout.weight"], p["readout.bias"])
        own = dict(self.named_parameters())
        with torch.no_grad():
            for name, mine in self.names.items():
                own[mine].copy_(p[name])

    def forward(self, inputs):
        states, _ = self.gru(inputs)
        return self.readout(states), None


def steps(advance, state, inputs, weights):
    """States `[rows, records, states]` after each of the rows of the inputs."""
    states = []
    for row in zip(*(x.unbind() for x in inputs)):
        state = advance(state, *row, *weights)
        states.append(state)
    return torch.stack(states)


@functools.cache
def compiled_steps(advance):
    return torch.compile(functools.partial(steps, advance), dynamic=False)


def loop(advance, state, inputs, weights, compiled):
    """All rows, or so many at a time by a compiled function: the whole loop, unrolled, compiles for a
    quarter of an hour and is hardly faster."""
    if not compiled:
        return steps(advance, state, inputs, weights)
    chunks = []
    for rows in zip(*(x.split(compiled) for x in inputs)):
        chunks.append(compiled_steps(advance)(state, rows, weights))
        state = chunks[-1][-1]
    return torch.cat(chunks)


def gru_cell(h, from_input, weight, bias):
    r, z, n = from_input.chunk(3, 1)
    hr, hz, hn = F.linear(h, weight, bias).chunk(3, 1)
    z = torch.sigmoid(z + hz)
    n = torch.tanh(n + torch.sigmoid(r + hr) * hn)
    return n + z * (h - n)


class GruLoop(Gru):
    """The same network with a loop over the steps."""

    def __init__(self, p, compiled=0):
        super().__init__(p)
        self.compiled = compiled

    def forward(self, inputs):
        g = self.gru
        h = inputs.new_zeros(inputs.shape[1], g.hidden_size)
        from_input = F.linear(inputs, g.weight_ih_l0, g.bias_ih_l0)
        weights = g.weight_hh_l0, g.bias_hh_l0
        return self.readout(loop(gru_cell, h, [from_input], weights, self.compiled)), None


def energy_gradient(p, x):
    """`∂ψ/∂x` of the softplus energy in closed form, over any leading dimensions."""
    x0 = F.linear(x, p["energy.0.weight"], p["energy.0.bias"])
    x1 = F.linear(softplus(x0), p["energy.1.weight"], p["energy.1.bias"])
    g1 = p["energy.output.weight"][0] * torch.sigmoid(x1)
    g0 = (g1 @ p["energy.1.weight"]) * torch.sigmoid(x0)
    return g0 @ p["energy.0.weight"]


def energy_gradient_by_autograd(p, x):
    if not x.requires_grad:
        x.requires_grad_()
    h = softplus(F.linear(x, p["energy.0.weight"], p["energy.0.bias"]))
    h = softplus(F.linear(h, p["energy.1.weight"], p["energy.1.bias"]))
    energy = F.linear(h, p["energy.output.weight"]).sum()
    return torch.autograd.grad(energy, x, create_graph=True)[0]


def advance(z, from_strain, dt, w0, w1, b1):
    return z + dt * F.linear(torch.tanh(from_strain + z @ w0.T), w1, b1)


class InternalVariables(nn.Module):
    """Internal variables driven by a tanh network; the free energy gives stress and dissipation."""

    def __init__(self, p, gradient, compiled=0):
        super().__init__()
        self.names = {name: name.replace(".", "_") for name in p}
        for name, mine in self.names.items():
            self.register_parameter(mine, nn.Parameter(p[name].clone()))
        self.gradient = gradient
        self.compiled = compiled

    def forward(self, inputs):
        p = {name: getattr(self, mine) for name, mine in self.names.items()}
        strain, dt = inputs[..., :COMPONENTS], inputs[..., COMPONENTS:]
        weight = p["evolution.0.weight"]
        from_strain = F.linear(strain, weight[:, :COMPONENTS], p["evolution.0.bias"])
        own = weight[:, COMPONENTS:], p["evolution.output.weight"], p["evolution.output.bias"]
        start = inputs.new_zeros(inputs.shape[1], own[1].shape[0])
        z = loop(advance, start, [from_strain, dt], own, self.compiled)
        gradient = self.gradient(p, torch.cat([strain, z], dim=-1))
        increments = z.diff(dim=0, prepend=start[None])
        dissipation = -(gradient[..., COMPONENTS:] * increments).sum(-1)
        return gradient[..., :COMPONENTS], dissipation


TRAINING = {
    "gru": {
        "nn.GRU": Gru,
        "loop": GruLoop,
        "loop, compiled": lambda p: GruLoop(p, CHUNK),
    },
    "iv": {
        "loop": lambda p: InternalVariables(p, energy_gradient),
        "loop, autograd.grad": lambda p: InternalVariables(p, energy_gradient_by_autograd),
        "loop, compiled": lambda p: InternalVariables(p, energy_gradient, CHUNK),
    },
}


def training(task, dtype, form, arrays):
    if QUICK and "compiled" in form:
        raise Skip("compiling takes minutes")
    inputs, target = (torch.from_numpy(x).to(DEVICE) for x in arrays.histories(dtype))
    scale, weight = float(arrays["dissipation_scale"]), float(arrays["dissipation_weight"])
    parameters = {k: torch.from_numpy(v) for k, v in arrays.parameters(dtype).items()}
    model = TRAINING[task.split("-")[0]][form](parameters).to(DEVICE)
    names = {mine: name for name, mine in model.names.items()}
    adam = torch.optim.Adam(model.parameters(), lr=float(arrays["learning_rate"]), fused=True)

    def loss():
        stress, dissipation = model(inputs)
        value = F.mse_loss(stress, target)
        if dissipation is not None:
            value = value + weight * F.relu(-dissipation / scale).square().mean()
        return value

    def call():
        adam.zero_grad()
        loss().backward()
        adam.step()
        if DEVICE == "cuda":
            torch.cuda.synchronize()

    def errors():
        adam.zero_grad()
        value = loss()
        value.backward()
        gradient = {names[k]: v.grad.cpu().numpy() for k, v in model.named_parameters()}
        return gradient_errors(arrays, value.item(), gradient)

    return call, errors


# Inference: `(ε [.., 6], dt [.., 1], z [.., s])` of one point or of many


def gru_parts(p, strain, dt, h):
    x = torch.cat([strain, dt], -1)
    r, z, n = F.linear(x, p["input.weight"], p["input.bias"]).chunk(3, -1)
    hr, hz, hn = F.linear(h, p["recurrent.weight"], p["recurrent.bias"]).chunk(3, -1)
    r, z = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
    n = torch.tanh(n + r * hn)
    new = n + z * (h - n)
    return F.linear(new, p["readout.weight"], p["readout.bias"]), new, r, z, n, hn


def gru_update(p, strain, dt, h):
    return gru_parts(p, strain, dt, h)[:2]


def gru_by_hand(p, strain, dt, h):
    """The slopes of the three gates against one matrix, `W_o` times the gates' weights."""
    stress, new, r, z, n, hn = gru_parts(p, strain, dt, h)
    candidate = (1 - z) * (1 - n * n)
    slopes = torch.cat([candidate * hn * r * (1 - r), (h - n) * z * (1 - z), candidate], -1)
    tangent = slopes @ p["slopes"]
    return stress, new, tangent.unflatten(-1, (COMPONENTS, COMPONENTS))


def gru_constants(p):
    weights = p["input.weight"][:, :COMPONENTS].unflatten(0, (3, -1))
    matrix = torch.einsum("ik,gkj->gkij", p["readout.weight"], weights)
    return {"slopes": matrix.reshape(-1, COMPONENTS**2).contiguous()}


def energy_update(p, strain, dt, z):
    gradient = energy_gradient(p, torch.cat([strain, z], -1))
    z = z - dt * F.linear(gradient[..., COMPONENTS:], p["mobility.weight"])
    return energy_gradient(p, torch.cat([strain, z], -1))[..., :COMPONENTS], z


def energy_hessian(p, x):
    """Gradient, and a function that applies the Hessian to directions `W_0 dx [6, points, n]`."""
    w0, w1 = p["energy.0.weight"], p["energy.1.weight"]
    x0 = F.linear(x, w0, p["energy.0.bias"])
    x1 = F.linear(softplus(x0), w1, p["energy.1.bias"])
    s0, s1 = torch.sigmoid(x0), torch.sigmoid(x1)
    g1 = p["energy.output.weight"][0] * s1
    back = g1 @ w1
    curvature0, curvature1 = back * s0 * (1 - s0), g1 * (1 - s1)

    def apply(dx0):
        along = (curvature1 * F.linear(s0 * dx0, w1)) @ w1
        return (s0 * along + curvature0 * dx0) @ w0

    return (back * s0) @ w0, apply


def energy_by_hand(p, strain, dt, z):
    w0, mobility = p["energy.0.weight"], p["mobility.weight"]
    along_strain = w0[:, :COMPONENTS].T[:, None, :]
    gradient, hessian = energy_hessian(p, torch.cat([strain, z], -1))
    new = z - dt * F.linear(gradient[:, COMPONENTS:], mobility)
    slope = -dt * F.linear(hessian(along_strain)[..., COMPONENTS:], mobility)
    gradient, hessian = energy_hessian(p, torch.cat([strain, new], -1))
    tangent = hessian(along_strain + F.linear(slope, w0[:, COMPONENTS:]))[..., :COMPONENTS]
    return gradient[:, :COMPONENTS], new, tangent.permute(1, 2, 0)


def j2_parts(p, strain, state):
    """Radial return; the yield condition is linear in the plastic increment."""
    shear, bulk, slope, unit, root = (p[k] for k in ("shear", "bulk", "slope", "unit", "root"))
    plastic, accumulated, alpha = state.split([6, 1, 6], -1)
    elastic = strain - plastic
    volume = elastic[..., :3].sum(-1, keepdim=True)
    deviator = 2 * shear * (elastic - volume / 3 * unit)
    xi = deviator - p["backstress"] * alpha
    norm = (xi * xi).sum(-1, keepdim=True).sqrt()
    excess = root * norm - p["yield"] - p["isotropic"] * accumulated
    increment = excess.clamp(min=0) / slope
    normal = xi / norm
    flow = root * increment * normal
    stress = bulk * volume * unit + deviator - 2 * shear * flow
    new = torch.cat([plastic + flow, accumulated + increment, alpha + flow], -1)
    return stress, new, normal, increment / (root * norm), increment


def j2_update(p, strain, dt, state):
    return j2_parts(p, strain, state)[:2]


def j2_by_hand(p, strain, dt, state):
    stress, new, normal, ratio, increment = j2_parts(p, strain, state)
    shear = p["shear"]
    turn = (6 * shear**2 * ratio)[..., None]
    along = (increment > 0).to(strain.dtype)[..., None] * (6 * shear**2 / p["slope"]) - turn
    dyad = normal[..., :, None] * normal[..., None, :]
    tangent = p["bulk"] * p["volume"] + (2 * shear - turn) * p["deviator"] - along * dyad
    return stress, new, tangent


def j2_constants(p):
    """What hangs on the parameters alone."""
    shear = p["young"] / (2 * (1 + p["poisson"]))
    unit = torch.tensor([1, 1, 1, 0, 0, 0], dtype=shear.dtype)
    volume = torch.outer(unit, unit)
    return {
        "shear": shear,
        "bulk": p["young"] / (3 * (1 - 2 * p["poisson"])),
        "slope": 3 * shear + p["isotropic"] + p["kinematic"],
        "backstress": p["kinematic"] * 2 / 3,
        "root": torch.tensor(1.5, dtype=shear.dtype).sqrt(),
        "unit": unit,
        "volume": volume,
        "deviator": torch.eye(6, dtype=shear.dtype) - volume / 3,
    }


POINTS = {
    "A": (gru_update, gru_by_hand),
    "B": (energy_update, energy_by_hand),
    "C": (j2_update, j2_by_hand),
}


class Law(nn.Module):
    """An update with its tangent by hand. Its parameters are buffers; single numbers are constants
    of the code, or buffers too where an export would round them."""

    def __init__(self, task, parameters, constants=True):
        super().__init__()
        self.by_hand = POINTS[task[0]][1]
        derived = {"A": gru_constants, "B": lambda p: {}, "C": j2_constants}[task[0]]
        parameters = {**parameters, **derived(parameters)}
        single = {name for name, value in parameters.items() if constants and value.dim() == 0}
        self.numbers = {name: parameters[name].item() for name in single}
        self.names = {n: "p_" + n.replace(".", "_") for n in parameters if n not in single}
        for name, mine in self.names.items():
            self.register_buffer(mine, parameters[name])

    def parameters_by_name(self):
        return self.numbers | {name: getattr(self, mine) for name, mine in self.names.items()}

    def forward(self, strain, dt, state):
        return self.by_hand(self.parameters_by_name(), strain, dt, state)


def aot_inductor(law, task, points):
    """The law as a compiled package, kept for the next run of the same code."""
    code = Path(__file__).read_bytes() + torch.__version__.encode()
    key = hashlib.sha256(code).hexdigest()[:12]
    threads, dtype = torch.get_num_threads(), str(points[0].dtype).split(".")[1]
    package = Path(sys.argv[1], f"{task}-{dtype}-{threads}-{key}.pt2")
    if not package.exists():
        exported = torch.export.export(law, points)
        torch._inductor.aoti_compile_and_package(exported, package_path=str(package))
    return torch._inductor.aoti_load_package(str(package))


def inference(task, dtype, form, arrays):
    if QUICK and form == "torch.compile":
        raise Skip("AOTInductor compiles the same kernels")
    if QUICK and form == "AOTInductor" and task.endswith("-1"):
        raise Skip("compiling takes a minute for each size")
    points = tuple(map(torch.from_numpy, arrays.points(dtype)))
    parameters = {k: torch.from_numpy(v) for k, v in arrays.parameters(dtype).items()}
    law = Law(task, parameters)

    def differentiated(strain, dt, state):
        p, update = law.parameters_by_name(), POINTS[task[0]][0]

        def twice(strain, dt, state):
            stress, new = update(p, strain, dt, state)
            return stress, (stress, new)

        tangent, (stress, new) = vmap(jacfwd(twice, has_aux=True))(strain, dt, state)
        return stress, new, tangent

    with torch.no_grad():
        update = {
            "eager, by hand": lambda: law,
            "vmap(jacfwd)": lambda: differentiated,
            "torch.compile": lambda: torch.compile(law, dynamic=False),
            "AOTInductor": lambda: aot_inductor(law, task, points),
        }[form]()

    # Forward derivatives need tensors that autograd may track.
    quiet = torch.no_grad if form == "vmap(jacfwd)" else torch.inference_mode

    def call():
        with quiet():
            return update(*points)

    def errors():
        stress, new, tangent = call()
        return point_errors(arrays, new, stress, tangent)

    return call, errors


def forms(task, dtype):
    """All but the implicit law."""
    if task[0] in POINTS:
        return ["eager, by hand", "vmap(jacfwd)", "torch.compile", "AOTInductor"]
    return list(TRAINING.get(task.split("-")[0], ()))


def prepare(task, dtype, form, arrays):
    return (inference if task[0] in POINTS else training)(task, dtype, form, arrays)


if __name__ == "__main__":
    serve("PyTorch", torch.__version__, forms, prepare)
