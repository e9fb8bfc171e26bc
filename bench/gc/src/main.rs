//! The collector beside bdwgc (Debian's libgc-dev) and beside malloc and free, on three programs; and how long a collection takes by what is live.
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

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let (rounds, scale) = if smoke { (2, 1) } else { (15, 10) };
    println!("| program | malloc and free | bdwgc | ours on malloc | ours on the flagship | ours / bdwgc |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    report::<Trees>("binary trees", rounds, scale);
    report::<Rings>("rings, each a cycle", rounds, scale);
    report::<Strings>("strings", rounds, scale);
    println!(
        "\n| live | collection by bdwgc | by ours | ours / bdwgc | held / live |\n| ---: | ---: | ---: | ---: | ---: |"
    );
    for megabytes in if smoke { vec![1] } else { vec![1, 4, 16, 64] } {
        let (boehm, _) = pause::<Boehm>(megabytes, rounds);
        let (ours, held) = pause::<Ours<memory::System>>(megabytes, rounds);
        let [boehm, ours] = [boehm, ours].map(|time| time.as_secs_f64() * 1e3);
        println!("| {megabytes} MiB | {boehm:.2} ms | {ours:.2} ms | {:.2} | {held:.2} |", ours / boehm);
    }
}

/// Least time of a collection with a forest of so many live megabytes, and what is held over what is live.
fn pause<M: Memory>(megabytes: usize, rounds: usize) -> (Duration, f64) {
    let mut memory = M::new();
    let mut roots = Vec::with_capacity(4096);
    // A tree of 2^12 nodes of 32 bytes is an eighth of a megabyte.
    for _ in 0..megabytes * 8 {
        let tree = programs::grow(&mut memory, &mut roots, 11);
        roots.push(tree);
    }
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
