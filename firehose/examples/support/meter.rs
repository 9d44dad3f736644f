//! How much a thread gets done in a second of its own time: other programs on the machine do not count.

use std::time::{Duration, Instant};

/// How often each thing is measured.
pub(crate) const PASSES: usize = 9;
/// A pass does the work again until it has taken so long: the clock is coarse.
const PASS: Duration = Duration::from_millis(150);

/// The median over some passes of how often `work`, which does `units` of something, gets done in a second.
pub(crate) fn per_second(units: usize, mut work: impl FnMut()) -> f64 {
    work();
    median((0..PASSES).map(|_| pass(units, &mut work)).collect())
}

/// The one in the middle.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// How often `work` gets done in a second, of one pass.
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
pub(crate) fn pass(units: usize, mut work: impl FnMut()) -> f64 {
    let start = thread_time();
    let mut rounds = 0;
    loop {
        work();
        rounds += 1;
        let taken = thread_time().saturating_sub(start);
        if taken >= PASS {
            return (units * rounds) as f64 / taken.as_secs_f64();
        }
    }
}

/// The time for which this thread has run; where the system does not tell, the time that has gone by.
fn thread_time() -> Duration {
    // Linux adds it up every few milliseconds, and whenever the thread gives way.
    std::thread::yield_now();
    let own = std::fs::read_to_string("/proc/thread-self/schedstat");
    let nanos = own
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(since_start, Duration::from_nanos)
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn since_start() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
