//! No law of the battery allocates in an update after the first, of a point or of a batch.

mod common;

use common::Random;
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};
use hysteron::laws::battery;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

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
    let classical = battery().into_iter();
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
