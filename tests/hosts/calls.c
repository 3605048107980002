/* Random calls of the UMAT and of the MGIS behaviours of a library with a law of seven internal
 * variables, from several threads. Each array has the size that the call says and not one number more,
 * so that a sanitizer sees what goes beyond. Prints `ok` at the end.
 *
 *     calls LIBRARY CALLS
 */
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                               \
    do {                                                                \
        if (!(condition)) {                                             \
            printf("line %d: %s\n", __LINE__, #condition);              \
            exit(1);                                                    \
        }                                                               \
    } while (0)

enum { STATES = 7, THREADS = 4, MESSAGE = 512 };

typedef struct {
    const double *gradients, *forces, *density, *properties, *states, *stored, *dissipated, *externals;
} Initial;
typedef struct {
    const double *gradients;
    double *forces;
    const double *density, *properties;
    double *states, *stored, *dissipated;
    const double *externals;
} Final;
typedef struct {
    char *message;
    double dt;
    double *k, *rdt, *speed;
    Initial s0;
    Final s1;
} View;

typedef int Behaviour(View *);
/* The first pointers of a UMAT, and the order of all. */
typedef void Umat(double *stress, double *statev, double *ddsdde, double *sse, double *spd, double *scd,
                  double *rpl, double *ddsddt, double *drplde, double *drpldt, double *stran,
                  double *dstran, double *time, double *dtime, double *temp, double *dtemp,
                  double *predef, double *dpred, char *cmname, int *ndi, int *nshr, int *ntens,
                  int *nstatv, double *props, int *nprops, double *coords, double *drot,
                  double *pnewdt, double *celent, double *dfgrd0, double *dfgrd1, int *noel, int *npt,
                  int *layer, int *kspt, int *kstep, int *kinc);

static Umat *umat;
static Behaviour *behaviours[4];
static long calls;

static uint64_t next(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static size_t below(uint64_t *seed, size_t n) { return (size_t)(next(seed) >> 20) % n; }

static double symmetric(uint64_t *seed) { return ldexp((double)(next(seed) >> 11), -52) - 1.0; }

/* Numbers up to a size; now and then one that no law can take. */
static double *numbers(uint64_t *seed, size_t n, double size) {
    static const double strange[] = {NAN, INFINITY, -1e300, 1e300, 0.0, 10.0};
    double *values = malloc(n * sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = size * symmetric(seed);
    if (n > 0 && size > 0.0 && below(seed, 8) == 0) values[below(seed, n)] = strange[below(seed, 6)];
    return values;
}

static double *copy(const double *values, size_t n) {
    double *other = malloc(n * sizeof *other);
    memcpy(other, values, n * sizeof *other);
    return other;
}

static int same(const double *a, const double *b, size_t n) { return memcmp(a, b, n * sizeof *a) == 0; }

/* Whether the call succeeded. */
static int call_umat(uint64_t *seed) {
    static const int stress_states[][2] = {{3, 3}, {3, 1}, {2, 1}, {1, 0}, {2, 2}};
    static const int rooms[] = {STATES, STATES, STATES + 9, STATES - 1, 0, STATES + 1};
    const int *state = stress_states[below(seed, 5)];
    int ndi = state[0], nshr = state[1], ntens = ndi + nshr, nprops = (int)below(seed, 4);
    int nstatv = rooms[below(seed, 6)], element = 1, one = 1;
    if (below(seed, 16) == 0) ntens += 1;
    size_t n = (size_t)ntens, z = (size_t)nstatv;
    double *stress = numbers(seed, n, 0.0), *ddsdde = numbers(seed, n * n, 0.0), *statev = numbers(seed, z, 0.0);
    double *stran = numbers(seed, n, 2e-3), *dstran = numbers(seed, n, 2e-3), *props = numbers(seed, (size_t)nprops, 0.0);
    if (nprops > 0) props[0] = below(seed, 8) ? 1.0 : -1.0;
    double drot[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, dt = 1.0, pnewdt = 1.0, energy = 0.0, loss = 0.0;
    if (below(seed, 4) == 0) drot[0] = drot[4] = cos(0.3), drot[1] = sin(0.3), drot[3] = -sin(0.3);
    double *stress_old = copy(stress, n), *ddsdde_old = copy(ddsdde, n * n), *statev_old = copy(statev, z);
    void *pointers[] = {stress, statev, ddsdde, stran, dstran, &dt, &ndi, &nshr, &ntens, &nstatv, &nprops};
    size_t missing = below(seed, 64);
    if (missing < 11) pointers[missing] = NULL;
    umat(pointers[0], pointers[1], pointers[2], &energy, &loss, NULL, NULL, NULL, NULL, NULL, pointers[3],
         pointers[4], NULL, pointers[5], NULL, NULL, NULL, NULL, NULL, pointers[6], pointers[7], pointers[8],
         pointers[9], props, pointers[10], NULL, drot, &pnewdt, NULL, NULL, NULL, &element, &one, NULL,
         NULL, NULL, NULL);
    if (pnewdt < 1.0) {
        EXPECT(same(stress, stress_old, n) && same(ddsdde, ddsdde_old, n * n) && same(statev, statev_old, z));
        EXPECT(energy == 0.0 && loss == 0.0);
    }
    double *all[] = {stress, ddsdde, statev, stran, dstran, props, stress_old, ddsdde_old, statev_old};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    return pnewdt == 1.0;
}

static int call_behaviour(uint64_t *seed) {
    size_t which = below(seed, 4), finite = which >= 2;
    size_t n = which % 2 == 0 ? 6 : 4, m = n == 6 ? 9 : 5;
    size_t measure = below(seed, 4), block = below(seed, 4);
    size_t forces = finite && measure == 2 ? m : n;
    size_t tangents[] = {n * m, n * n, m * m, 3}, entries = finite ? tangents[block] : n * n;
    static const double requests[] = {-1.0, 0.0, 1.0, 4.0, 4.0, 100.0, NAN};
    double *k = numbers(seed, entries, 0.0);
    k[0] = requests[below(seed, 7)];
    if (finite) k[1] = (double)measure, k[2] = (double)block;
    size_t count = finite ? m : n;
    double *old = numbers(seed, count, 2e-3), *new = numbers(seed, count, 2e-3);
    for (size_t i = 0; finite && i < 3; i++) old[i] += 1.0, new[i] += 1.0;
    double *force = numbers(seed, forces, 0.0), *force_old = copy(force, forces);
    double *z0 = numbers(seed, STATES, 0.0), *z1 = numbers(seed, STATES, 0.0), *z1_old = copy(z1, STATES);
    double unit = below(seed, 16) ? 1.0 : 0.0, temperature = 293.15, rdt = 1.0, energies[4] = {0, 0, 0, 0};
    char *message = malloc(MESSAGE);
    View view = {message, 1.0, k, &rdt, NULL,
                 {old, NULL, NULL, &unit, z0, energies, energies + 1, &temperature},
                 {new, force, NULL, &unit, z1, energies + 2, energies + 3, &temperature}};
    const void **pointers[] = {(const void **)&view.k, (const void **)&view.s0.gradients, (const void **)&view.s1.gradients,
                         (const void **)&view.s1.forces, (const void **)&view.s0.states, (const void **)&view.s1.states,
                         (const void **)&view.s1.properties, (const void **)&view.message, (const void **)&view.rdt,
                         (const void **)&view.s1.stored, (const void **)&view.s0.dissipated};
    size_t missing = below(seed, 64);
    if (missing < 11) *pointers[missing] = NULL;
    int code = behaviours[which](&view);
    EXPECT(code == -1 || code == 1);
    if (code == -1) EXPECT(same(force, force_old, forces) && same(z1, z1_old, STATES));
    if (code == -1 && view.message) EXPECT(memchr(message, 0, MESSAGE) && message[0] != 0);
    double *all[] = {k, old, new, force, force_old, z0, z1, z1_old};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free(message);
    return code == 1;
}

static void *work(void *number) {
    uint64_t seed = 0x9E3779B97F4A7C15u + 7919u * (uint64_t)(uintptr_t)number;
    long good[2] = {0, 0};
    for (long i = 0; i < calls; i++) {
        good[0] += call_umat(&seed);
        good[1] += call_behaviour(&seed);
    }
    /* Neither all nor none can be right. */
    for (int k = 0; k < 2; k++) EXPECT(good[k] > calls / 20 && good[k] < calls);
    return NULL;
}

int main(int count, char **arguments) {
    static const char *names[] = {"Hysteron_Tridimensional", "Hysteron_PlaneStrain",
                                  "HysteronFiniteStrain_Tridimensional", "HysteronFiniteStrain_Axisymmetrical"};
    EXPECT(count == 3);
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (!library) printf("%s\n", dlerror());
    EXPECT(library);
    *(void **)&umat = dlsym(library, "umat_");
    EXPECT(umat);
    for (int i = 0; i < 4; i++) {
        *(void **)&behaviours[i] = dlsym(library, names[i]);
        EXPECT(behaviours[i]);
    }
    calls = atol(arguments[2]) / (2 * THREADS);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) EXPECT(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    printf("ok\n");
    return 0;
}
