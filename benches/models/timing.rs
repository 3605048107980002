//! Median time of a call.

use std::time::Instant;

/// Seconds of sampling per benchmark.
const SECONDS: f64 = 2.0;

/// Runs benchmarks and prints a line for each.
pub struct Benchmarks {
    words: Vec<String>,
}

impl Benchmarks {
    /// Only the benchmarks whose names contain every word of the command line are run.
    pub fn from_arguments() -> Self {
        let arguments = std::env::args().skip(1);
        Self {
            // `cargo bench` adds `--bench`.
            words: arguments.filter(|a| !a.starts_with("--")).collect(),
        }
    }

    /// Times what `prepare` returns; one call processes `elements` points or rows.
    pub fn run<F: FnMut()>(&self, name: &str, elements: usize, prepare: impl FnOnce() -> F) {
        if !self.words.iter().all(|word| name.contains(word.as_str())) {
            return;
        }
        let (seconds, samples) = median(SECONDS, &mut prepare());
        let rate = elements as f64 / seconds;
        println!("{name:<48} {seconds:>10.3e} s {rate:>10.3e} /s {samples:>8} samples");
    }
}

/// Median seconds of a call, and the number of samples. A sample of a short call is a loop of calls.
pub fn median(seconds: f64, call: &mut dyn FnMut()) -> (f64, usize) {
    let mut once = Instant::now();
    call();
    // A long call needs no warming up.
    if once.elapsed().as_secs_f64() > seconds {
        return (once.elapsed().as_secs_f64(), 1);
    }
    once = Instant::now();
    call();
    let calls = (1e-4 / once.elapsed().as_secs_f64()).ceil().clamp(1.0, 1e5) as usize;
    let (start, mut samples) = (Instant::now(), Vec::new());
    while samples.is_empty() || start.elapsed().as_secs_f64() < seconds {
        let sample = Instant::now();
        for _ in 0..calls {
            call();
        }
        samples.push(sample.elapsed().as_secs_f64() / calls as f64);
    }
    samples.sort_by(f64::total_cmp);
    (samples[samples.len() / 2], samples.len())
}
