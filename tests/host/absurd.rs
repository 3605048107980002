//! Calls whose arguments are not those of the interface: nothing that a host passes ends it. What a pointer
//! leads to is memory of the program; beyond that nobody can see from inside.

use crate::laws::{host, steel};
use hysteron::host::HostLaw;
use hysteron::host::mgis::{self, BehaviourDataView, Kinematics};
use hysteron::mandel::StressState;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ffi::c_void;
use std::sync::OnceLock;

const CALLS: usize = 100_000;
/// Arguments of a UMAT.
const ARGUMENTS: usize = 37;
/// Bytes that every pointer leads to.
const ROOM: usize = 4096;

type Pointer = *mut c_void;

fn law() -> Result<&'static HostLaw, &'static str> {
    static LAW: OnceLock<HostLaw> = OnceLock::new();
    Ok(LAW.get_or_init(|| host(&steel())))
}

hysteron::umat!("umat_of_the_absurd_calls", law());

macro_rules! declare {
    ($($argument:ident)*) => {
        unsafe extern "C" {
            fn umat_of_the_absurd_calls($($argument: Pointer),*);
        }

        /// # Safety
        /// Each pointer leads nowhere or to [`ROOM`] bytes.
        unsafe fn umat(pointers: [Pointer; ARGUMENTS]) {
            let [$($argument),*] = pointers;
            // SAFETY: as the caller promises.
            unsafe { umat_of_the_absurd_calls($($argument),*) }
        }
    };
}
declare!(a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3 d4 d5 d6);

/// Memory of one argument.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Block([u8; ROOM]);

impl Block {
    fn numbers(&mut self, values: &[f64]) {
        for (bytes, value) in self.0.chunks_exact_mut(8).zip(values) {
            bytes.copy_from_slice(&value.to_ne_bytes());
        }
    }

    fn integers(&mut self, values: &[i32]) {
        for (bytes, value) in self.0.chunks_exact_mut(4).zip(values) {
            bytes.copy_from_slice(&value.to_ne_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        self.0[..80].fill(b' ');
        self.0[..text.len()].copy_from_slice(text.as_bytes());
    }

    fn pointer(&mut self) -> Pointer {
        self.0.as_mut_ptr().cast()
    }
}

/// Pointers that lead nowhere: null, numbers in place of addresses, an odd address.
fn nowhere(random: &mut ChaCha8Rng) -> Pointer {
    let numbers = [
        0,
        1,
        6,
        80,
        4095,
        1.0f64.to_bits(),
        f64::NAN.to_bits(),
        u64::MAX,
    ];
    *numbers.choose(random).unwrap() as usize as Pointer
}

const COUNTS: [i32; 12] = [0, 1, 2, 3, 4, 5, 6, 13, 22, -1, i32::MIN, i32::MAX];
const NUMBERS: [f64; 8] = [0.0, 1.0, -1.0, 1e-3, 1e300, f64::NAN, f64::INFINITY, 293.15];
const NAMES: [&str; 8] = [
    "STEEL",
    "@STEEL",
    "@ABAQUS_STEEL",
    "@ABAQUSNL_STEEL",
    "@ABAQUSNL_",
    "@",
    "",
    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
];

/// Now and then another entry of the list.
fn or<T: Copy>(random: &mut ChaCha8Rng, usual: T, others: &[T]) -> T {
    match random.random_range(0..16) {
        0 => *others.choose(random).unwrap(),
        _ => usual,
    }
}

/// The arguments of a sound call in their order, here and there with another content.
fn sound(random: &mut ChaCha8Rng, blocks: &mut [Block; ARGUMENTS]) -> [Pointer; ARGUMENTS] {
    for block in blocks.iter_mut() {
        block.0[..512].fill(0);
    }
    for place in [10, 11] {
        let strain: Vec<f64> = (0..6).map(|_| random_strain(random)).collect();
        blocks[place].numbers(&strain);
    }
    blocks[13].numbers(&[or(random, 1.0, &NUMBERS)]);
    blocks[18].text(NAMES.choose(random).unwrap());
    for (place, count) in [(19, 3), (20, 3), (21, 6), (22, 13), (24, 1)] {
        blocks[place].integers(&[or(random, count, &COUNTS)]);
    }
    let props: Vec<f64> = [1.0, 0.0, 0.0]
        .map(|usual| or(random, usual, &[1.0, 2.0, f64::NAN]))
        .to_vec();
    blocks[23].numbers(&props);
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    for place in [26, 29, 30] {
        blocks[place].numbers(&identity);
        blocks[place].numbers(&[or(random, 1.0, &NUMBERS)]);
    }
    blocks[27].numbers(&[1.0]);
    blocks[31].integers(&[7]);
    blocks[32].integers(&[1]);
    blocks[35].integers(&[1, 1, or(random, 0, &COUNTS), or(random, 0, &COUNTS)]);
    blocks.each_mut().map(Block::pointer)
}

/// A strain, or now and then another number.
fn random_strain(random: &mut ChaCha8Rng) -> f64 {
    let strain = random.random_range(-2e-3..2e-3);
    or(random, strain, &NUMBERS)
}

/// The arguments of CalculiX's own interface, in its order; behind them what lies on the stack.
fn native(random: &mut ChaCha8Rng, blocks: &mut [Block; ARGUMENTS]) -> [Pointer; ARGUMENTS] {
    sound(random, blocks);
    blocks[0].text(NAMES[1]);
    for place in [1, 2, 3, 19, 20] {
        blocks[place].integers(&[or(random, 8, &COUNTS)]);
    }
    blocks[28].numbers(&[1.0]);
    let mut pointers = blocks.each_mut().map(Block::pointer);
    pointers[30..].fill_with(|| nowhere(random));
    pointers
}

#[test]
fn absurd_calls_of_a_umat_end_no_process() {
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let mut blocks = Box::new([Block([0; ROOM]); ARGUMENTS]);
    let (mut advanced, mut refused) = (0, 0);
    for call in 0..CALLS {
        let mut pointers = match call % 16 {
            0 => native(&mut random, &mut blocks),
            _ => sound(&mut random, &mut blocks),
        };
        match random.random_range(0..8) {
            // An argument is missing, or there is one too many.
            0 | 1 => {
                let from = random.random_range(0..ARGUMENTS - 1);
                let by = random.random_range(1..6).min(ARGUMENTS - 1 - from);
                match random.random() {
                    true => pointers[from..].rotate_left(by),
                    false => pointers[from..].rotate_right(by),
                }
            }
            2 => pointers.swap(
                random.random_range(0..ARGUMENTS),
                random.random_range(0..ARGUMENTS),
            ),
            3 => {
                for _ in 0..random.random_range(1..4) {
                    pointers[random.random_range(0..ARGUMENTS)] = nowhere(&mut random);
                }
            }
            4 => {
                let place = random.random_range(0..ARGUMENTS);
                pointers[place] = pointers[place].wrapping_byte_add(random.random_range(1..8));
            }
            _ => {}
        }
        // SAFETY: each leads nowhere or to that many bytes.
        unsafe { umat(pointers) };
        let asked = blocks
            .iter()
            .any(|block| block.0[..8] == 0.25f64.to_ne_bytes());
        match asked {
            true => refused += 1,
            false => advanced += 1,
        }
    }
    assert!(
        advanced > CALLS / 10 && refused > CALLS / 10,
        "{advanced} {refused}"
    );
}

#[test]
fn a_name_of_calculix_own_interface_asks_it_to_stop() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let mut blocks = Box::new([Block([0; ROOM]); ARGUMENTS]);
    let pointers = native(&mut random, &mut blocks);
    let before = blocks.clone();
    // SAFETY: each leads nowhere or to that many bytes.
    unsafe { umat(pointers) };
    for (place, (before, now)) in before.iter().zip(blocks.iter()).enumerate() {
        assert_eq!(before.0 == now.0, place != 28, "argument {place}");
    }
    assert_eq!(blocks[28].0[..8], 0.25f64.to_ne_bytes());
}

#[test]
fn absurd_calls_of_a_behaviour_end_no_process() {
    const FIELDS: usize = size_of::<BehaviourDataView>() / 8;
    let mut random = ChaCha8Rng::seed_from_u64(18);
    let mut blocks = Box::new([Block([0; ROOM]); FIELDS]);
    let mut codes = [0; 3];
    for _ in 0..CALLS {
        for block in blocks.iter_mut() {
            block.0[..128].fill(0);
        }
        let strain: Vec<f64> = (0..9).map(|_| random_strain(&mut random)).collect();
        // The fields in the order of the structure; the second is the time step.
        for place in [5, 13] {
            blocks[place].numbers(&strain);
        }
        for place in [8, 16] {
            blocks[place].numbers(&[or(&mut random, 1.0, &NUMBERS)]);
        }
        let request = [4.0, 0.0, 0.0]
            .map(|usual| or(&mut random, usual, &[-1.0, 1.0, 2.0, 7.0, f64::NAN, 100.0]));
        blocks[2].numbers(&request);
        let mut fields = blocks.each_mut().map(|block| block.pointer() as u64);
        fields[1] = or(&mut random, 1.0, &NUMBERS).to_bits();
        match random.random_range(0..6) {
            0 => {
                let from = random.random_range(0..FIELDS - 1);
                fields[from..].rotate_left(1);
            }
            1 => fields.swap(
                random.random_range(0..FIELDS),
                random.random_range(0..FIELDS),
            ),
            2 => fields[random.random_range(0..FIELDS)] = nowhere(&mut random) as u64,
            _ => {}
        }
        let data: *mut BehaviourDataView = match random.random_range(0..64) {
            0 => nowhere(&mut random).cast(),
            _ => fields.as_mut_ptr().cast(),
        };
        let kinematics = *[Kinematics::Small, Kinematics::Finite]
            .choose(&mut random)
            .unwrap();
        let state = *[StressState::Solid, StressState::Axisymmetric]
            .choose(&mut random)
            .unwrap();
        // SAFETY: each pointer leads nowhere or to that many bytes.
        let code = unsafe { mgis::call(law, kinematics, state, data) };
        codes[(code + 1) as usize] += 1;
    }
    let [failed, _, sound] = codes;
    assert!(failed > CALLS / 10 && sound > CALLS / 10, "{codes:?}");
}
