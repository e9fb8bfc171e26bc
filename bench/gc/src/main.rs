//! The collector beside bdwgc (Debian's libgc-dev) and beside malloc and free, on three programs; and how fast they allocate and
//! how long a collection takes by what is live.
//!
//! `cargo run --release --manifest-path bench/gc/Cargo.toml [-- --smoke]`
//!
//! Everybody runs the same program on the same sizes, in turn, round after round; the least time counts. Ours is told its roots, a stack
//! that the program keeps anyway; bdwgc scans the program's own stack and static data for them.

mod memory;
mod programs;

use memory::{Boehm, Malloc, Memory, Ours};
use std::time::{Duration, Instant};

trait Program {
    fn run(memory: &mut impl Memory, scale: usize) -> usize;
}

macro_rules! program {
    ($name:ident, $function:path) => {
        struct $name;
        impl Program for $name {
            fn run(memory: &mut impl Memory, scale: usize) -> usize {
                $function(memory, scale)
            }
        }
    };
}
program!(Trees, programs::trees);
program!(Rings, programs::rings);
program!(Strings, programs::strings);

/// Who runs a program. Each has one memory for all rounds: bdwgc could not have another.
type Contestant<'a> = Box<dyn FnMut(usize) -> (Duration, usize) + 'a>;

fn on<'a, M: Memory + 'a, P: Program>() -> Contestant<'a> {
    let mut memory = M::new();
    Box::new(move |scale| {
        let start = Instant::now();
        let answer = P::run(&mut memory, scale);
        (start.elapsed(), answer)
    })
}

fn report<P: Program>(name: &str, rounds: usize, scale: usize) {
    let mut contestants: [Contestant<'_>; 4] =
        [on::<Malloc, P>(), on::<Boehm, P>(), on::<Ours<memory::System>, P>(), on::<Ours<memory::Flagship>, P>()];
    let mut least = [Duration::MAX; 4];
    for _ in 0..rounds {
        let mut expected = None;
        for (least, contestant) in least.iter_mut().zip(&mut contestants) {
            let (time, answer) = contestant(scale);
            assert_eq!(answer, *expected.get_or_insert(answer), "everybody comes to the same");
            *least = time.min(*least);
        }
    }
    let [malloc, boehm, ours, flagship] = least.map(|time| time.as_secs_f64() * 1e3);
    println!("| {name} | {malloc:.1} ms | {boehm:.1} ms | {ours:.1} ms | {flagship:.1} ms | {:.2} |", ours / boehm);
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let (rounds, scale) = if smoke { (2, 1) } else { (15, 10) };
    if let [_, kind, megabytes, ..] = &*arguments
        && let Ok(megabytes) = megabytes.parse()
    {
        row(kind, megabytes, rounds);
        return Ok(());
    }
    println!("| program | malloc and free | bdwgc | ours on malloc | ours on the flagship | ours / bdwgc |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    report::<Trees>("binary trees", rounds, scale);
    report::<Rings>("rings, each a cycle", rounds, scale);
    report::<Strings>("strings", rounds, scale);
    for (kind, header) in [
        (THROUGHPUT, "| live | malloc and free | bdwgc | ours on malloc | bdwgc / ours |"),
        (PAUSE, "| live | collection by bdwgc | by ours | ours / bdwgc | held / live |"),
    ] {
        println!("\n{header}\n| ---: | ---: | ---: | ---: | ---: |");
        for megabytes in if smoke { &[1][..] } else { &[1, 4, 16, 64] } {
            // Each in a process of its own: bdwgc has one heap, which keeps what it once needed.
            let mut row = std::process::Command::new(std::env::current_exe()?);
            row.args([kind, &megabytes.to_string()]).args(smoke.then_some("--smoke"));
            assert!(row.status()?.success());
        }
    }
    Ok(())
}

const THROUGHPUT: &str = "throughput";
const PAUSE: &str = "pause";

/// Prints a row of one of the tables by what is live.
fn row(kind: &str, megabytes: usize, rounds: usize) {
    if kind == THROUGHPUT {
        let [malloc, boehm, ours] = throughput(megabytes, rounds);
        println!("| {megabytes} MiB | {malloc:.0} MiB/s | {boehm:.0} MiB/s | {ours:.0} MiB/s | {:.2} |", boehm / ours);
    } else {
        let (boehm, _) = pause::<Boehm>(megabytes, rounds);
        let (ours, held) = pause::<Ours<memory::System>>(megabytes, rounds);
        let [boehm, ours] = [boehm, ours].map(|time| time.as_secs_f64() * 1e3);
        println!("| {megabytes} MiB | {boehm:.2} ms | {ours:.2} ms | {:.2} | {held:.2} |", ours / boehm);
    }
}

/// Megabytes a second that are allocated while so many are live: trees of a forest are replaced, twice as many megabytes as it has, the
/// collections that this takes included. Best round of each.
fn throughput(megabytes: usize, rounds: usize) -> [f64; 3] {
    fn on<'a, M: Memory + 'a>(megabytes: usize) -> Box<dyn FnMut() -> (Duration, usize) + 'a> {
        let (mut memory, mut roots) = (M::new(), Vec::with_capacity(64));
        programs::forest(&mut memory, &mut roots, megabytes);
        Box::new(move || {
            let start = Instant::now();
            let nodes = programs::churn(&mut memory, &mut roots, megabytes, 2 * megabytes);
            (start.elapsed(), nodes)
        })
    }
    let mut contestants = [on::<Malloc>(megabytes), on::<Boehm>(megabytes), on::<Ours<memory::System>>(megabytes)];
    let mut least = [Duration::MAX; 3];
    for _ in 0..rounds {
        for (least, contestant) in least.iter_mut().zip(&mut contestants) {
            let (time, nodes) = contestant();
            assert_eq!(nodes, 2 * megabytes * 8 * 4_095, "everybody replaces whole trees");
            *least = time.min(*least);
        }
    }
    least.map(|time| 2.0 * megabytes as f64 / time.as_secs_f64())
}

/// Least time of a collection with a forest of so many live megabytes, and what is held over what is live.
fn pause<M: Memory>(megabytes: usize, rounds: usize) -> (Duration, f64) {
    let mut memory = M::new();
    let mut roots = Vec::with_capacity(64);
    programs::forest(&mut memory, &mut roots, megabytes);
    let mut least = Duration::MAX;
    for _ in 0..rounds + 1 {
        let start = Instant::now();
        memory.collect(&roots);
        least = start.elapsed().min(least);
    }
    let held = memory.held_over_live();
    std::hint::black_box(&roots);
    (least, held)
}
