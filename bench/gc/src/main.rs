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

const PROGRAMS: [(&str, [fn(usize) -> Duration; 4]); 3] = [
    (
        "binary trees",
        [
            run::<Malloc, Trees>,
            run::<Boehm, Trees>,
            run::<Ours<memory::System>, Trees>,
            run::<Ours<memory::Flagship>, Trees>,
        ],
    ),
    (
        "rings, each a cycle",
        [
            run::<Malloc, Rings>,
            run::<Boehm, Rings>,
            run::<Ours<memory::System>, Rings>,
            run::<Ours<memory::Flagship>, Rings>,
        ],
    ),
    (
        "strings",
        [
            run::<Malloc, Strings>,
            run::<Boehm, Strings>,
            run::<Ours<memory::System>, Strings>,
            run::<Ours<memory::Flagship>, Strings>,
        ],
    ),
];

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

fn run<M: Memory, P: Program>(scale: usize) -> Duration {
    let mut memory = M::new();
    let start = Instant::now();
    let answer = P::run(&mut memory, scale);
    let time = start.elapsed();
    let mut check = Malloc::new();
    static ANSWERS: std::sync::Mutex<Vec<(usize, usize, usize)>> = std::sync::Mutex::new(Vec::new());
    let key = P::run as fn(&mut Malloc, usize) -> usize as usize;
    let mut answers = ANSWERS.lock().expect("one thread");
    let expected = match answers.iter().find(|known| (known.0, known.1) == (key, scale)) {
        Some(known) => known.2,
        None => {
            let made = P::run(&mut check, scale);
            answers.push((key, scale, made));
            made
        }
    };
    assert_eq!(answer, expected, "everybody comes to the same");
    time
}

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let (rounds, scale) = if smoke { (1, 1) } else { (7, 10) };
    println!("| program | malloc and free | bdwgc | ours on malloc | ours on the flagship | ours / bdwgc |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (name, contestants) in PROGRAMS {
        let mut least = [Duration::MAX; 4];
        for _ in 0..rounds {
            for (least, contestant) in least.iter_mut().zip(contestants) {
                *least = contestant(scale).min(*least);
            }
        }
        let [malloc, boehm, ours, flagship] = least.map(|time| time.as_secs_f64() * 1e3);
        println!("| {name} | {malloc:.1} ms | {boehm:.1} ms | {ours:.1} ms | {flagship:.1} ms | {:.2} |", ours / boehm);
    }
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
