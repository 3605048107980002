/* A host in C: every function of the header, and what must not happen. Prints `ok` at the end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hysteron.h"

#define EXPECT(condition)                                                                   \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            printf("line %d: %s (%s)\n", __LINE__, #condition, hysteron_last_error());      \
            exit(1);                                                                        \
        }                                                                                   \
    } while (0)

enum { N = 6, POINTS = 1500 };

/* Compiled with -DTOO_SHORT=1 the stresses have no room for the last number: an address sanitizer must
 * see it. */
#ifndef TOO_SHORT
#define TOO_SHORT 0
#endif

int main(int count, char **arguments) {
    EXPECT(count == 2);
    EXPECT(strlen(hysteron_version()) >= 5);
    EXPECT(hysteron_load("nowhere.safetensors", 6) == NULL);
    EXPECT(strstr(hysteron_last_error(), "nowhere") != NULL);

    hysteron_law *law = hysteron_load(arguments[1], N);
    EXPECT(law != NULL);
    EXPECT(strcmp(hysteron_name(law), "steel") == 0);
    EXPECT(hysteron_components(law) == N);
    EXPECT(hysteron_externals(law) == 0);
    EXPECT(hysteron_external_name(law, 0) == NULL);
    size_t states = hysteron_states(law);
    EXPECT(states == 7);
    EXPECT(strcmp(hysteron_state_name(law, 6), "accumulated_plastic_strain") == 0);

    double *old = calloc(N * POINTS, sizeof *old), *new = calloc(N * POINTS, sizeof *new);
    double *dt = calloc(POINTS, sizeof *dt);
    double *z0 = malloc(states * POINTS * sizeof *z0), *z1 = malloc(states * POINTS * sizeof *z1);
    double *stress = malloc((N * POINTS - TOO_SHORT) * sizeof *stress);
    double *tangent = malloc(N * N * POINTS * sizeof *tangent);
    double *energy = malloc(POINTS * sizeof *energy), *loss = malloc(POINTS * sizeof *loss);
    int32_t *status = malloc(POINTS * sizeof *status);
    double virgin[7];
    EXPECT(hysteron_initial_state(law, virgin, states) == HYSTERON_OK);
    EXPECT(hysteron_initial_state(law, virgin, states - 1) == HYSTERON_REFUSED);
    for (size_t s = 0; s < states; s++)
        for (size_t p = 0; p < POINTS; p++) z0[s * POINTS + p] = virgin[s];
    for (size_t p = 0; p < POINTS; p++) new[3 * POINTS + p] = 1e-2 * (double)p / POINTS;

    hysteron_points points = {POINTS, N,  states, 0,      old,     new,    dt,   NULL,
                              NULL,   z0, z1,     stress, tangent, energy, loss, status};
    EXPECT(hysteron_update(law, &points, 2) == HYSTERON_OK);
    /* Simple shear of von Mises: |s12| = sqrt(2) tau, which hardens from sigma_y / sqrt(3). */
    double young = 200e3, shear = young / 2.6, yield = 250.0, hardening = 2000.0;
    for (size_t p = 0; p < POINTS; p++) {
        double gamma = sqrt(2.0) * new[3 * POINTS + p], tau = shear * gamma;
        double first = yield / sqrt(3.0);
        if (tau > first) {
            double slope = shear * hardening / (3.0 * shear + hardening);
            tau = first + slope * (gamma - first / shear);
        }
        EXPECT(fabs(stress[3 * POINTS + p] - sqrt(2.0) * tau) < 1e-9 * young);
        EXPECT(loss[p] >= 0.0 && energy[p] >= 0.0 && status[p] == 0);
    }

    points.components = 3;
    EXPECT(hysteron_update(law, &points, 1) == HYSTERON_REFUSED);
    points.components = N;
    points.state_new = z0;
    EXPECT(hysteron_update(law, &points, 1) == HYSTERON_REFUSED);
    points.state_new = z1;
    new[7] = NAN;
    EXPECT(hysteron_update(law, &points, 2) == HYSTERON_CUT);
    EXPECT(strstr(hysteron_last_error(), "point 7") != NULL);
    points.points = 1;
    new[0] = 1e300;
    EXPECT(hysteron_update(law, &points, 1) == HYSTERON_CUT);
    EXPECT(hysteron_update(NULL, &points, 1) == HYSTERON_REFUSED);
    EXPECT(hysteron_update(law, NULL, 1) == HYSTERON_REFUSED);
    hysteron_free(law);
    hysteron_free(NULL);

    FILE *file = fopen(arguments[1], "rb");
    static uint8_t bytes[1 << 16];
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    law = hysteron_load_bytes(bytes, length, 4);
    EXPECT(law != NULL && hysteron_components(law) == 4);
    hysteron_free(law);
    EXPECT(hysteron_load_bytes(bytes, 3, 4) == NULL);
    EXPECT(hysteron_load_own(6) == NULL);

    double *all[] = {old, new, dt, z0, z1, stress, tangent, energy, loss};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free(status);
    printf("ok\n");
    return 0;
}
