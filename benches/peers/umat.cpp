// J2 plasticity with linear isotropic and kinematic hardening as a UMAT would have it: one point a
// call, engineering shear, arrays of the caller. `umat_peer.py` compiles and drives it.

#include <algorithm>
#include <cmath>

namespace {

struct Steel {
    double young, poisson, yield, isotropic, kinematic;
};

// ddsdde is column-major; statev holds plastic strain [6], accumulated plastic strain and the
// kinematic strain [6], both with engineering shear.
void umat(double* stress, double* statev, double* ddsdde, const double* stran,
          const double* dstran, const Steel& steel) {
    const double shear = steel.young / (2 * (1 + steel.poisson));
    const double bulk = steel.young / (3 * (1 - 2 * steel.poisson));
    double elastic[6];
    for (int i = 0; i < 6; ++i) elastic[i] = stran[i] + dstran[i] - statev[i];
    const double volume = elastic[0] + elastic[1] + elastic[2];
    double deviator[6], xi[6];
    for (int i = 0; i < 3; ++i) {
        deviator[i] = 2 * shear * (elastic[i] - volume / 3);
        deviator[i + 3] = shear * elastic[i + 3];
    }
    for (int i = 0; i < 3; ++i) {
        xi[i] = deviator[i] - 2.0 / 3 * steel.kinematic * statev[7 + i];
        xi[i + 3] = deviator[i + 3] - 1.0 / 3 * steel.kinematic * statev[10 + i];
    }
    double square = 0;
    for (int i = 0; i < 3; ++i) square += xi[i] * xi[i] + 2 * xi[i + 3] * xi[i + 3];
    const double norm = std::sqrt(square);
    const double excess = std::sqrt(1.5) * norm - steel.yield - steel.isotropic * statev[6];

    double turn = 0, along = 0;
    double normal[6] = {0, 0, 0, 0, 0, 0};
    if (excess > 0) {
        const double slope = 3 * shear + steel.isotropic + steel.kinematic;
        const double increment = excess / slope;
        turn = 6 * shear * shear * increment / (std::sqrt(1.5) * norm);
        along = 6 * shear * shear / slope - turn;
        statev[6] += increment;
        for (int i = 0; i < 6; ++i) {
            normal[i] = xi[i] / norm;
            const double flow = std::sqrt(1.5) * increment * normal[i];
            deviator[i] -= 2 * shear * flow;
            const double engineering = i < 3 ? flow : 2 * flow;
            statev[i] += engineering;
            statev[7 + i] += engineering;
        }
    }
    const double twice = 2 * shear - turn;
    for (int j = 0; j < 6; ++j)
        for (int i = 0; i < 6; ++i) {
            double value = -along * normal[i] * normal[j];
            if (i < 3 && j < 3) value += bulk - twice / 3;
            if (i == j) value += i < 3 ? twice : twice / 2;
            ddsdde[6 * j + i] = value;
        }
    for (int i = 0; i < 6; ++i) stress[i] = deviator[i] + (i < 3 ? bulk * volume : 0);
}

}  // namespace

// The loop of a solver over its points: old states in, new states out.
extern "C" void points(long count, const double* properties, const double* strain,
                       const double* state_old, double* state, double* stress, double* tangent) {
    const Steel steel{properties[0], properties[1], properties[2], properties[3], properties[4]};
    const double zero[6] = {0, 0, 0, 0, 0, 0};
    for (long p = 0; p < count; ++p) {
        std::copy_n(state_old + 13 * p, 13, state + 13 * p);
        umat(stress + 6 * p, state + 13 * p, tangent + 36 * p, zero, strain + 6 * p, steel);
    }
}
