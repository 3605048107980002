/* hysteron: learned and classical material laws for finite element programs.
 *
 * Link with libhysteron.so, or load it at run time:
 *
 *     cargo rustc --release --no-default-features --features capi --crate-type cdylib
 *
 * Strain and stress are Kelvin-Mandel vectors, with sqrt(2) on the shear components, in MPa:
 *
 *     components   section                         order
 *     6            three-dimensional               11 22 33 12 13 23
 *     4            plane strain, axisymmetric      11 22 33 12
 *     3            plane stress                    11 22 12
 *     1            uniaxial stress                 11
 *
 * A three-dimensional law has all of these sections, any other law its own.
 *
 * A law is never written after it was loaded: any number of threads may use it at once. No call
 * writes to an old state, none ends the program, and none allocates after the first of its thread
 * (loading, failing, and an update with several threads excepted).
 */
#ifndef HYSTERON_H
#define HYSTERON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call returns. */
enum {
    HYSTERON_OK = 0,
    /* The law failed; a smaller step can help. */
    HYSTERON_CUT = -1,
    /* The arguments, or the file, cannot be used. */
    HYSTERON_REFUSED = -2,
    /* The law panicked, which is a fault of the law. */
    HYSTERON_PANICKED = -3
};

/* A law in one section. */
typedef struct hysteron_law hysteron_law;

/* The points of one update. Arrays are component-major: entry [c * points + p] belongs to component
 * c of point p, entry [(i * components + j) * points + p] to the tangent d stress_i / d strain_j.
 * Outputs must not overlap any other array. */
typedef struct hysteron_points {
    size_t points;
    /* These must be what the law says: */
    size_t components;
    size_t states;
    size_t externals;
    const double *strain_old;   /* [components][points] */
    const double *strain_new;   /* [components][points] */
    const double *dt;           /* [points], seconds */
    const double *external_old; /* [externals][points], null where there are none */
    const double *external_new; /* [externals][points] */
    const double *state_old;    /* [states][points], null where there are none */
    double *state_new;          /* [states][points] */
    double *stress;             /* [components][points], MPa */
    double *tangent;            /* [components][components][points], MPa */
    double *stored_energy;      /* [points], MJ/m^3, or null */
    double *dissipation;        /* [points], of this increment, MJ/m^3, or null */
    int32_t *status;            /* [points], 0 inside the trained range, 1 outside, or null */
} hysteron_points;

/* Version of the library, such as "0.1.0". */
const char *hysteron_version(void);

/* What went wrong in the last call of this thread that failed; "" before the first. It stays until
 * the next one. */
const char *hysteron_last_error(void);

/* Loads a saved law (.safetensors), or the reference law of a material card (.toml), for a section
 * of so many components; 0: those of the law itself. Null where it fails. */
hysteron_law *hysteron_load(const char *path, size_t components);

/* The same from the bytes of either file. */
hysteron_law *hysteron_load_bytes(const uint8_t *bytes, size_t length, size_t components);

/* The same from the file beside this library: NAME.safetensors or NAME.toml beside libNAME.so. */
hysteron_law *hysteron_load_own(size_t components);

/* Ends a law; null is allowed. */
void hysteron_free(hysteron_law *law);

/* Sizes and names. Null for a law asks for nothing: 0, or null. Names live as long as the law. */
const char *hysteron_name(const hysteron_law *law);
size_t hysteron_components(const hysteron_law *law);
size_t hysteron_states(const hysteron_law *law);
size_t hysteron_externals(const hysteron_law *law);
const char *hysteron_state_name(const hysteron_law *law, size_t index);
const char *hysteron_external_name(const hysteron_law *law, size_t index);

/* Writes the state of virgin material; `states` is the room, which must be that of the law. */
int32_t hysteron_initial_state(const hysteron_law *law, double *state, size_t states);

/* Advances one point or many. With several threads each takes a share of the points; the answers do
 * not depend on their number. After HYSTERON_CUT or HYSTERON_REFUSED for one point all outputs are
 * as they were; for many points they are not to be used, and the last error names a point that
 * failed. */
int32_t hysteron_update(const hysteron_law *law, const hysteron_points *points, size_t threads);

#ifdef __cplusplus
}
#endif

#endif
