"""NEML2: J2 plasticity with linear isotropic and kinematic hardening by its radial return, with the
tangent by its chain rule; as written (eager) and compiled ahead of time (`neml2-compile`)."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import neml2
import torch
from neml2.eager._model import _EagerModel
from protocol import Skip, point_errors, serve

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

# The trial state gives the directions of flow, which the radial return keeps; the unknown is the
# rate of the plastic multiplier. Strains are Mandel vectors, as ours.
INPUT = """
[Models]
  [elastic_strain_0]
    type = SR2LinearCombination
    from = 'strain plastic_strain~1'
    to = 'elastic_strain_0'
    weights = '1 -1'
  []
  [stress_0]
    type = LinearIsotropicElasticity
    coefficients = '{young} {poisson}'
    coefficient_types = 'YOUNGS_MODULUS POISSONS_RATIO'
    strain = 'elastic_strain_0'
    stress = 'stress_0'
  []
  [isotropic_0]
    type = LinearIsotropicHardening
    equivalent_plastic_strain = 'equivalent_plastic_strain~1'
    isotropic_hardening = 'isotropic_0'
    hardening_modulus = {isotropic}
  []
  [backstress_0]
    type = LinearKinematicHardening
    kinematic_plastic_strain = 'kinematic_plastic_strain~1'
    back_stress = 'backstress_0'
    hardening_modulus = {backstress}
  []
  [overstress_0]
    type = SR2LinearCombination
    from = 'stress_0 backstress_0'
    to = 'overstress_0'
    weights = '1 -1'
  []
  [mises_0]
    type = SR2Invariant
    invariant_type = 'VONMISES'
    tensor = 'overstress_0'
    invariant = 'mises_0'
  []
  [yield_0]
    type = YieldFunction
    yield_stress = {yield}
    yield_function = 'yield_0'
    effective_stress = 'mises_0'
    isotropic_hardening = 'isotropic_0'
  []
  [surface_0]
    type = ComposedModel
    models = 'overstress_0 mises_0 yield_0'
  []
  [directions]
    type = Normality
    model = 'surface_0'
    function = 'yield_0'
    from = 'stress_0 isotropic_0 backstress_0'
    to = 'NM Nk NX'
  []
  [trial]
    type = ComposedModel
    models = 'elastic_strain_0 stress_0 isotropic_0 backstress_0 directions'
  []

  [plastic_strain_rate]
    type = AssociativePlasticFlow
    flow_direction = 'NM'
  []
  [plastic_strain]
    type = SR2ForwardEulerTimeIntegration
    variable = 'plastic_strain'
  []
  [equivalent_plastic_strain_rate]
    type = AssociativeIsotropicPlasticHardening
    isotropic_hardening_direction = 'Nk'
  []
  [equivalent_plastic_strain]
    type = ScalarForwardEulerTimeIntegration
    variable = 'equivalent_plastic_strain'
  []
  [kinematic_plastic_strain_rate]
    type = AssociativeKinematicPlasticHardening
    kinematic_hardening_direction = 'NX'
  []
  [kinematic_plastic_strain]
    type = SR2ForwardEulerTimeIntegration
    variable = 'kinematic_plastic_strain'
  []
  [flow]
    type = ComposedModel
    models = 'plastic_strain_rate plastic_strain
              equivalent_plastic_strain_rate equivalent_plastic_strain
              kinematic_plastic_strain_rate kinematic_plastic_strain'
  []
  [elastic_strain]
    type = SR2LinearCombination
    from = 'strain plastic_strain'
    to = 'elastic_strain'
    weights = '1 -1'
  []
  [stress]
    type = LinearIsotropicElasticity
    coefficients = '{young} {poisson}'
    coefficient_types = 'YOUNGS_MODULUS POISSONS_RATIO'
    strain = 'elastic_strain'
    stress = 'stress'
  []
  [isotropic]
    type = LinearIsotropicHardening
    hardening_modulus = {isotropic}
  []
  [backstress]
    type = LinearKinematicHardening
    hardening_modulus = {backstress}
  []
  [overstress]
    type = SR2LinearCombination
    from = 'stress back_stress'
    to = 'overstress'
    weights = '1 -1'
  []
  [mises]
    type = SR2Invariant
    invariant_type = 'VONMISES'
    tensor = 'overstress'
    invariant = 'effective_stress'
  []
  [yield_function]
    type = YieldFunction
    yield_stress = {yield}
    isotropic_hardening = 'isotropic_hardening'
  []
  [consistency]
    type = FBComplementarity
    a = 'yield_function'
    a_inequality = 'LE'
    b = 'flow_rate'
  []
  [residual]
    type = ComposedModel
    models = 'flow elastic_strain stress isotropic backstress overstress mises yield_function consistency'
  []
[]

[EquationSystems]
  [system]
    type = NonlinearSystem
    model = 'residual'
    unknowns = 'flow_rate'
    residuals = 'complementarity'
  []
[]

[Solvers]
  [newton]
    type = Newton
    linear_solver = 'lu'
    rel_tol = 1e-12
  []
  [lu]
    type = DenseLU
  []
[]

[Models]
  [start]
    type = ConstantExtrapolationPredictor
    unknowns_Scalar = 'flow_rate'
  []
  [return_map]
    type = ImplicitUpdate
    equation_system = 'system'
    solver = 'newton'
    predictor = 'start'
  []
  [integrated]
    type = ComposedModel
    models = 'trial return_map flow'
  []
  [law]
    type = ComposedModel
    models = 'integrated elastic_strain stress'
    additional_outputs = 'plastic_strain equivalent_plastic_strain kinematic_plastic_strain'
  []
[]
"""


def input_file(p):
    """The law, in a file named after its text."""
    p = {k: float(v) for k, v in p.items()}
    text = INPUT.format(**p, backstress=2 / 3 * p["kinematic"])
    file = Path(sys.argv[1], f"neml2-{hashlib.sha256(text.encode()).hexdigest()[:12]}.i").resolve()
    file.write_text(text)
    return file


def compiled(file):
    """The law as a package of AOTInductor, for any number of points."""
    if "PEERS_QUICK" in os.environ:
        raise Skip("compiling takes minutes")
    directory = file.with_suffix("")
    if not list(directory.glob("**/*_aoti.i")):
        command = Path(sys.executable).parent / "neml2-compile"
        options = ["--model", "law", "-d", "stress:strain", "--output-dir", str(directory)]
        options += ["--example-batch-shape", "(8,)", "--dynamic-batch", "--quiet"]
        subprocess.run([command, file, *options], check=True, stdout=sys.stderr)
    (stub,) = directory.glob("**/*_aoti.i")
    return neml2.load_model(stub, "law")


def prepare(task, dtype, form, arrays):
    strain, dt, state = map(torch.from_numpy, arrays.points(dtype))
    file = input_file(arrays.parameters(dtype))
    law = _EagerModel(str(file), "law") if form == "eager" else compiled(file)
    plastic, accumulated, kinematic = state.split([6, 1, 6], 1)
    zero = torch.zeros(len(strain), dtype=strain.dtype)
    inputs = {
        "strain": strain,
        "t": dt[:, 0].contiguous(),
        "t~1": zero,
        "flow_rate~1": zero,
        "plastic_strain~1": plastic.contiguous(),
        "equivalent_plastic_strain~1": accumulated[:, 0].contiguous(),
        "kinematic_plastic_strain~1": kinematic.contiguous(),
    }
    inputs = {name: inputs[name] for name in law.input_spec}

    def call():
        return law.jacobian(inputs)

    def errors():
        values, jacobian = call()
        names = "plastic_strain", "equivalent_plastic_strain", "kinematic_plastic_strain"
        new = torch.cat([values[name].reshape(len(strain), -1) for name in names], 1)
        tangent = jacobian["stress"]["strain"]
        return point_errors(arrays, new.detach(), values["stress"].detach(), tangent.detach())

    return call, errors


def forms(task, dtype):
    return ["eager", "neml2-compile"] if task[0] == "C" and dtype == "f64" else []


if __name__ == "__main__":
    from importlib.metadata import version

    serve("NEML2", version("neml2"), forms, prepare)
