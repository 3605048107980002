/* hysteron: learned and classical material laws for finite element programs.
 *
 * Link with libhysteron.so, or load it at run time:
 *
 *     cargo rustc --release --no-default-features --features capi --crate-type cdylib
 *
 * Strain and stress are Kelvin-Mandel vectors, with sqrt(2) on the shear components, in MPa:
 *
 *     components   stress state                    order
 *     6            three-dimensional               11 22 33 12 13 23
 *     4            plane strain, axisymmetric      11 22 33 12
 *     3            plane stress                    11 22 12
 *     1            uniaxial stress                 11
 *
 * A three-dimensional law has all of these stress states, any other law its own.
 *
 * A law is never written after it was loaded: any number of threads may use it at once. No call
 * writes to an old state, none ends the program, and none allocates after the first of its thread
 * (loading, failing, and an update with several threads excepted).
 *
 * Written by cbindgen from src/host/capi.rs: change it there, then run tests/hosts/header. */

#ifndef HYSTERON_H
#define HYSTERON_H

#include <stddef.h>
#include <stdint.h>

// All went well.
#define HYSTERON_OK 0

// The law failed; a smaller step can help.
#define HYSTERON_CUT -1

// The arguments, or the file, cannot be used.
#define HYSTERON_REFUSED -2

// The law panicked, which is a fault of the law.
#define HYSTERON_PANICKED -3

// A law in one stress state. It is never written after it was made: all threads may use it at once.
typedef struct hysteron_law hysteron_law;

// The points of one update. Arrays are component-major: entry `[c * points + p]` belongs to component
// c of point p, entry `[(i * components + j) * points + p]` to the tangent d stress_i / d strain_j.
// Outputs must not overlap any other array.
typedef struct hysteron_points {
    size_t points;
    // Strain components, which must be those of the law, as the next two must.
    size_t components;
    // Internal variables.
    size_t states;
    // External variables.
    size_t externals;
    // `[components][points]`
    const double *strain_old;
    // `[components][points]`
    const double *strain_new;
    // `[points]`, seconds
    const double *dt;
    // `[externals][points]`, null where there are none
    const double *external_old;
    // `[externals][points]`
    const double *external_new;
    // `[states][points]`, null where there are none
    const double *state_old;
    // `[states][points]`
    double *state_new;
    // `[components][points]`, MPa
    double *stress;
    // `[components][components][points]`, MPa
    double *tangent;
    // `[points]`, MJ/m³, or null
    double *stored_energy;
    // `[points]`, of this increment, MJ/m³, or null
    double *dissipation;
    // `[points]`, 0 inside the trained range, 1 outside, or null
    int32_t *status;
} hysteron_points;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Version of the library, such as "0.1.0".
const char *hysteron_version(void);

// What went wrong in the last call of this thread that failed; "" before the first. It stays until
// the next one.
const char *hysteron_last_error(void);

// Loads a saved law (.safetensors), or the reference law of a material card (.toml), for the stress
// state of so many components; 0: those of the law itself. Null where it fails.
struct hysteron_law *hysteron_load(const char *path, size_t components);

// The same from the bytes of either file.
struct hysteron_law *hysteron_load_bytes(const uint8_t *bytes, size_t length, size_t components);

// The same from the file adjacent to this library: NAME.safetensors or NAME.toml in the folder of
// libNAME.so.
struct hysteron_law *hysteron_load_own(size_t components);

// Ends a law that no thread uses any more; null is allowed.
void hysteron_free(struct hysteron_law *law);

// Name of a law, that of its file or card; it lives as long as the law, as do the names of its
// variables. Null for null.
const char *hysteron_name(const struct hysteron_law *law);

// Strain components; 0 for null.
size_t hysteron_components(const struct hysteron_law *law);

// Internal variables; 0 for null.
size_t hysteron_states(const struct hysteron_law *law);

// External variables, such as a temperature; 0 for null.
size_t hysteron_externals(const struct hysteron_law *law);

// Name of an internal variable; null where there is none.
const char *hysteron_state_name(const struct hysteron_law *law, size_t index);

// Name of an external variable; null where there is none.
const char *hysteron_external_name(const struct hysteron_law *law, size_t index);

// Writes the state of virgin material; `states`, the length of the array, must be that of the law.
int32_t hysteron_initial_state(const struct hysteron_law *law, double *state, size_t states);

// Advances one point or many. With several threads each takes a share of the points; the results
// do not depend on their number. After HYSTERON_CUT or HYSTERON_REFUSED for one point all outputs
// are as they were; for many points they are not to be used, and the last error names a point that
// failed.
int32_t hysteron_update(const struct hysteron_law *law,
                        const struct hysteron_points *points,
                        size_t threads);

// In what a point of an update is outside the range of the law, such as "strain 11 = 0.03, trained from 0 to
// 0.02"; "" where it is inside. Null where the call is wrong; the last error says why. The text stays until
// the next call of this function in this thread.
const char *hysteron_outside(const struct hysteron_law *law,
                             const struct hysteron_points *points,
                             size_t point);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HYSTERON_H */
