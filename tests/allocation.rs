//! No classical law allocates in an update after the first, of a point or of a batch, and neither
//! do the interfaces of the hosts.

mod common;

use common::Random;
use hysteron::host::mgis::{self, BehaviourDataView, InitialStateView, Kinematics, StateView};
use hysteron::host::{HostLaw, capi, umat};
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};
use hysteron::laws::example_laws;
use hysteron::mandel::StressState;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::{null, null_mut};
use std::sync::Arc;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // The counter is gone while its thread ends.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn updates_do_not_allocate() {
    let counted = || ALLOCATIONS.with(Cell::get);
    let before = counted();
    drop(std::hint::black_box(vec![1.0; 3]));
    assert_eq!(counted(), before + 1, "the counter counts");

    let learned = common::learned_laws(0).into_iter();
    let learned = learned.map(|(name, law)| (name, Box::new(law) as Box<dyn MaterialLaw>));
    let classical = example_laws().into_iter();
    let classical = classical.map(|(name, law)| (name.to_string(), law));
    for (name, law) in classical.chain(learned) {
        let (n, scales) = (law.components(), law.scales());
        let mut random = Random::new(1);
        let path: Vec<Vec<f64>> = (0..200)
            .map(|_| random.vector(n, 2.0 * scales.strain))
            .collect();
        let (mut old, mut new) = (law.new_state(), law.new_state());
        let mut response = Response::default();
        let mut after_first = None;
        for pair in path.windows(2) {
            let increment = Increment {
                strain_old: &pair[0],
                strain_new: &pair[1],
                dt: scales.time,
                external_old: &[],
                external_new: &[],
            };
            law.update(&increment, &old, &mut new, &mut response)
                .unwrap();
            std::mem::swap(&mut old, &mut new);
            after_first.get_or_insert_with(counted);
        }
        assert_eq!(Some(counted()), after_first, "{name}");

        let points = 37;
        let strain: Vec<Vec<f64>> = (0..20)
            .map(|_| random.vector(n * points, 2.0 * scales.strain))
            .collect();
        let dt = vec![scales.time; points];
        let virgin = law.new_state();
        let mut old: Vec<f64> = virgin.iter().flat_map(|z| vec![*z; points]).collect();
        let mut new = old.clone();
        let (mut stress, mut tangent) = (vec![0.0; n * points], vec![0.0; n * n * points]);
        let (mut energy, mut dissipation) = (vec![0.0; points], vec![0.0; points]);
        let mut status = vec![Status::Inside; points];
        let mut after_first = None;
        for pair in strain.windows(2) {
            let input = BatchInput {
                points,
                strain_old: &pair[0],
                strain_new: &pair[1],
                dt: &dt,
                external_old: &[],
                external_new: &[],
                state: &old,
            };
            let mut output = BatchOutput {
                state: &mut new,
                stress: &mut stress,
                tangent: &mut tangent,
                stored_energy: &mut energy,
                dissipation: &mut dissipation,
                status: &mut status,
            };
            law.update_batch(&input, &mut output).unwrap();
            std::mem::swap(&mut old, &mut new);
            after_first.get_or_insert_with(counted);
        }
        assert_eq!(Some(counted()), after_first, "{name}, batch");
    }
}

/// Runs `call` twice and then counts what it allocates.
fn allocations(mut call: impl FnMut()) -> usize {
    call();
    call();
    let before = ALLOCATIONS.with(Cell::get);
    call();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn calls_of_hosts_do_not_allocate() {
    for (name, law) in example_laws() {
        if law.components() != 6 {
            continue;
        }
        let n = law.state_layout().len();
        let strain = law.scales().strain;
        let host = HostLaw::new(Arc::from(law)).unwrap();

        let (mut stress, mut ddsdde, mut statev) = ([0.0; 6], [0.0; 36], vec![0.0; n + 9]);
        let (rest, step, drot) = (
            [0.0; 6],
            [strain; 6],
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        );
        let (mut sse, mut spd, mut pnewdt) = (0.0, 0.0, 1.0);
        let nstatv = n as i32 + 9;
        let arguments = umat::UmatArguments {
            stress: stress.as_mut_ptr(),
            statev: statev.as_mut_ptr(),
            ddsdde: ddsdde.as_mut_ptr(),
            sse: &mut sse,
            spd: &mut spd,
            stran: rest.as_ptr(),
            dstran: step.as_ptr(),
            dtime: &1.0,
            temp: null(),
            dtemp: null(),
            cmname: c"STEEL".as_ptr().cast(),
            ndi: &3,
            nshr: &3,
            ntens: &6,
            nstatv: &nstatv,
            props: [1.0, 2.0].as_ptr(),
            nprops: &2,
            drot: drot.as_ptr(),
            pnewdt: &mut pnewdt,
            celent: null_mut(),
            dfgrd1: drot.as_ptr(),
            noel: null(),
            npt: null(),
            kstep: [1, 1, 1, 0].as_ptr(),
        };
        // SAFETY: arrays of these sizes.
        let count = allocations(|| unsafe { umat::call(|| Ok(&host), &arguments) });
        assert_eq!((count, pnewdt), (0, 1.0), "{name}, UMAT");

        let (old, mut new) = (vec![0.0; n], vec![0.0; n]);
        let (mut k, mut message) = ([4.0; 81], [0; 512]);
        let deformation = [1.0 + strain, 1.0, 1.0, strain, 0.0, 0.0, 0.0, strain, 0.0];
        let identity = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        for (kinematics, gradients) in [
            (Kinematics::Small, [&rest[..], &step[..]]),
            (Kinematics::Finite, [&identity[..], &deformation[..]]),
        ] {
            let mut view = BehaviourDataView {
                error_message: message.as_mut_ptr(),
                dt: 1.0,
                k: k.as_mut_ptr(),
                rdt: null_mut(),
                speed_of_sound: null_mut(),
                s0: InitialStateView {
                    gradients: gradients[0].as_ptr(),
                    thermodynamic_forces: null(),
                    mass_density: null(),
                    material_properties: &1.0,
                    internal_state_variables: old.as_ptr(),
                    stored_energy: null(),
                    dissipated_energy: null(),
                    external_state_variables: null(),
                },
                s1: StateView {
                    gradients: gradients[1].as_ptr(),
                    thermodynamic_forces: stress.as_mut_ptr(),
                    mass_density: null(),
                    material_properties: &1.0,
                    internal_state_variables: new.as_mut_ptr(),
                    stored_energy: null_mut(),
                    dissipated_energy: null_mut(),
                    external_state_variables: null(),
                },
            };
            let mut code = 0;
            let count = allocations(|| {
                // SAFETY: arrays of the behaviour.
                unsafe {
                    for (i, asked) in [4.0, 1.0, 1.0].into_iter().enumerate() {
                        *view.k.add(i) = asked;
                    }
                    code = mgis::call(|| Ok(&host), kinematics, StressState::Solid, &mut view);
                }
            });
            assert_eq!((count, code), (0, 1), "{name}, MGIS, {kinematics:?}");
        }
    }

    let card = b"name = \"steel\"\n[reference]\nlaw = \"j2\"\nyoung_MPa = 2e5\npoisson = 0.3\nyield_MPa = 250.0\n";
    for points in [1, 100] {
        // SAFETY: so many bytes, and below arrays of these sizes; the law is freed once.
        unsafe {
            let law = capi::hysteron_load_bytes(card.as_ptr(), card.len(), 6);
            let (old, new) = (vec![0.0; 6 * points], vec![3e-3; 6 * points]);
            let (state, mut next) = (vec![0.0; 7 * points], vec![0.0; 7 * points]);
            let (dt, mut stress, mut tangent) = (
                vec![1.0; points],
                vec![0.0; 6 * points],
                vec![0.0; 36 * points],
            );
            let batch = capi::Points {
                points,
                components: 6,
                states: 7,
                externals: 0,
                strain_old: old.as_ptr(),
                strain_new: new.as_ptr(),
                dt: dt.as_ptr(),
                external_old: null(),
                external_new: null(),
                state_old: state.as_ptr(),
                state_new: next.as_mut_ptr(),
                stress: stress.as_mut_ptr(),
                tangent: tangent.as_mut_ptr(),
                stored_energy: null_mut(),
                dissipation: null_mut(),
                status: null_mut(),
            };
            let mut code = 0;
            let count = allocations(|| code = capi::hysteron_update(law, &batch, 1));
            assert_eq!((count, code), (0, capi::OK), "{points} points");
            capi::hysteron_free(law);
        }
    }
}
