//! Samples and what is said about them: the median, the median absolute deviation, the page faults.

use std::time::Duration;

/// What a sample's time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Clock {
    /// The time that passes: what a person waits.
    Wall,
    /// The time that processors spend for this process, in the system's code too: what is left of the work when somebody else
    /// runs on the same machine.
    Processor,
}

impl Clock {
    fn now(self) -> Duration {
        let clock = match self {
            Self::Wall => libc::CLOCK_MONOTONIC,
            Self::Processor => libc::CLOCK_PROCESS_CPUTIME_ID,
        };
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` is a valid, exclusively borrowed `timespec`.
        let status = unsafe { libc::clock_gettime(clock, &mut now) };
        assert_eq!(status, 0, "both clocks exist wherever the contestants run");
        Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
    }
}

/// Has this thread run on one processor, or again on any.
///
/// # Errors
/// The system refuses: there is no such processor.
pub fn stay_on(processor: Option<usize>) -> std::io::Result<()> {
    // SAFETY: `cpu_set_t` is plain data for which all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let chosen = processor.map_or(0..libc::CPU_SETSIZE as usize, |one| one..one + 1);
    for one in chosen {
        // SAFETY: `set` is a valid, exclusively borrowed set; a number past its end is ignored.
        unsafe { libc::CPU_SET(one, &mut set) };
    }
    // SAFETY: `set` is a valid set of the size that is given, and 0 is this thread.
    match unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// One measured interval: time by the [`Clock`] asked for and minor page faults, both per call.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Sample {
    /// Nanoseconds per call.
    pub nanos: f64,
    /// Minor page faults per call.
    pub faults: f64,
}

/// Runs `work` `calls` times and returns the cost of one call.
///
/// # Errors
/// The first error of `work`.
pub fn sample<E>(calls: u32, clock: Clock, mut work: impl FnMut() -> Result<(), E>) -> Result<Sample, E> {
    let faults = minor_faults();
    let start = clock.now();
    for _ in 0..calls {
        work()?;
    }
    let elapsed = clock.now() - start;
    Ok(Sample {
        nanos: elapsed.as_nanos() as f64 / f64::from(calls),
        faults: (minor_faults() - faults) as f64 / f64::from(calls),
    })
}

/// Minor page faults so far: of all threads of this process, and of its children that have ended.
pub fn minor_faults() -> i64 {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .into_iter()
        .map(|who| {
            // SAFETY: `rusage` is plain data for which all zeroes is a value, and the kernel fills it.
            let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
            // SAFETY: `usage` is a valid, exclusively borrowed `rusage`.
            let status = unsafe { libc::getrusage(who, &mut usage) };
            assert_eq!(status, 0, "getrusage cannot fail with a valid pointer");
            usage.ru_minflt
        })
        .sum()
}

/// What a row says about one contestant.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Median of the samples, nanoseconds.
    pub median: f64,
    /// Median absolute deviation from the median, nanoseconds.
    pub deviation: f64,
    /// Median of the minor page faults per call.
    pub faults: f64,
    /// The samples in the order of the rounds, nanoseconds.
    pub rounds: Vec<f64>,
}

impl Summary {
    /// Summarises `samples`; `None` when there are none.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let rounds: Vec<f64> = samples.iter().map(|sample| sample.nanos).collect();
        let (median, deviation) = median_and_deviation(rounds.clone())?;
        let (faults, _) = median_and_deviation(samples.iter().map(|sample| sample.faults).collect())?;
        Some(Self { median, deviation, faults, rounds })
    }
}

/// The median of `values` and the median of their distances from it; `None` when there are none.
pub fn median_and_deviation(mut values: Vec<f64>) -> Option<(f64, f64)> {
    let middle = median(&mut values)?;
    for value in &mut values {
        *value = (*value - middle).abs();
    }
    Some((middle, median(&mut values)?))
}

/// Sorts `values` and returns the middle one (the mean of the two middle ones).
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// How many calls one sample should hold so that it lasts about `target`, given the cost of one.
pub fn batch(one: Sample, target: Duration) -> u32 {
    (target.as_nanos() as f64 / one.nanos.max(1.0)).clamp(1.0, 100_000.0) as u32
}

/// `12.3 µs`, `4.56 ms`, `1.23 s`: three digits that matter.
pub fn human(nanos: f64) -> String {
    let (value, unit) = match nanos {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_deviation_resist_one_outlier() {
        let samples: Vec<Sample> = [10.0, 11.0, 12.0, 13.0, 5000.0].map(|nanos| Sample { nanos, faults: 3.0 }).to_vec();
        let summary = Summary::of(&samples).unwrap();
        assert_eq!((summary.median, summary.deviation), (12.0, 1.0));
        assert_eq!(summary.faults, 3.0);
        assert!(Summary::of(&[]).is_none());
    }

    #[test]
    fn human_keeps_three_digits() {
        assert_eq!(human(950.0), "950 ns");
        assert_eq!(human(12_340.0), "12.3 µs");
        assert_eq!(human(4_567_000.0), "4.57 ms");
        assert_eq!(human(1.234e9), "1.23 s");
    }

    #[test]
    fn touching_fresh_pages_counts_as_faults() {
        let pages = 64;
        let measured = sample(1, Clock::Wall, || {
            let fresh = vec![1u8; pages * 4096 + (1 << 20)];
            std::hint::black_box(&fresh);
            Ok::<_, ()>(())
        })
        .unwrap();
        assert!(measured.faults >= pages as f64, "{measured:?}");
    }
}
