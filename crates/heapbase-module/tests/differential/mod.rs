//! A runtime and its conversions behave alike: random runtimes are executed before and after.
//!
//! Used by the test `differential` and by the fuzz target `fuzz/convert`.

pub(crate) mod generate;
pub(crate) mod machine;

use arbitrary::{Result, Unstructured};
use generate::Program;
use heapbase_module::{
    Spec,
    convert::{Allocator, Conversion, Family, Options, convert},
    verify::verify,
};
use machine::{Seen, run};

/// Inputs of each entry point.
const INPUTS: [&[u8]; 2] = [b"", b"an input of a few bytes, more than one word"];

/// Sizes of the arena: one that overflows at once, one page, small, the default, and one past the largest request. One is no
/// power of two.
const ARENAS: [u32; 5] = [16 * 1024, 60 * 1024, 1 << 20, heapbase_module::convert::DEFAULT_ARENA, 40 << 20];

/// How often what was reached, so that nobody believes in a comparison of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Calls that were compared.
    pub(crate) calls: u32,
    /// Those that trapped.
    pub(crate) traps: u32,
    /// Blocks in use at their end.
    pub(crate) blocks: u32,
    /// Conversions that grow blocks in place.
    pub(crate) in_place: u32,
    /// Calls of converted runtimes that fetched an arena.
    pub(crate) arenas: u32,
    /// Conversions of runtimes that write in front of their blocks.
    pub(crate) fronts: u32,
}

/// Makes a runtime, converts it, and compares.
///
/// # Panics
///
/// When a conversion fails, or behaves differently.
pub(crate) fn check(u: &mut Unstructured<'_>, tally: &mut Tally) -> Result<()> {
    let options = choose(u)?;
    let program = generate::program(u)?;
    let original = wat::parse_str(&program.text).unwrap_or_else(|error| panic!("{error}\n{}", program.text));
    let expected =
        run(&original, Spec::Legacy, &program, &INPUTS).unwrap_or_else(|error| panic!("{error}\n{}", program.text));
    for seen in &expected {
        tally.calls += 1;
        tally.traps += u32::from(seen.output.is_none());
        tally.blocks += seen.blocks.iter().filter(|(size, _)| *size != u32::MAX).count() as u32;
    }
    for options in options {
        let converted =
            convert(&original, &options).unwrap_or_else(|error| panic!("{options:?}: {error}\n{}", program.text));
        assert!(verify(&original, &converted.wasm, None).is_ok(), "{options:?} is not verified\n{}", program.text);
        tally.in_place += u32::from(converted.changes.iter().any(|change| change.contains("in place")));
        tally.fronts += u32::from(converted.changes.iter().any(|change| change.contains("in front of")));
        let found = compare(&program, &options, &converted, &expected);
        if options.to == Spec::Local {
            let arena = options.arena.min(32 << 20).next_power_of_two();
            tally.arenas += found.iter().filter(|seen| seen.largest == arena).count() as u32;
        }
        let back = convert(&converted.wasm, &Options::new(Spec::Legacy))
            .unwrap_or_else(|error| panic!("{options:?} and back: {error}\n{}", program.text));
        // Most come back byte for byte, and then there is nothing to execute.
        if back.wasm != original {
            compare(&program, &options, &back, &expected);
        }
        if u.ratio(1, 4)? {
            let other = if options.to == Spec::V1 { Spec::Local } else { Spec::V1 };
            let over = convert(&converted.wasm, &Options::new(other))
                .unwrap_or_else(|error| panic!("{options:?} and over: {error}\n{}", program.text));
            compare(&program, &options, &over, &expected);
        }
    }
    Ok(())
}

/// A conversion to each of the specs.
fn choose(u: &mut Unstructured<'_>) -> Result<[Options<'static>; 2]> {
    let mut one = |to| {
        let mut options = Options::new(to);
        options.allocator = Allocator::Family(*u.choose(&Family::ALL)?);
        // Large arenas take time to map, and are seldom what is hard.
        let most = if u.ratio(1, 8)? { ARENAS.len() } else { 3 };
        options.arena = ARENAS[u.choose_index(most)?];
        options.in_place = u.ratio(7, 8)?;
        Ok(options)
    };
    Ok([one(Spec::Local)?, one(Spec::V1)?])
}

fn compare(program: &Program, options: &Options<'_>, converted: &Conversion, expected: &[Seen]) -> Vec<Seen> {
    let what = || {
        let as_text = &program.text;
        format!(
            "{} with {} in {} bytes, now {}\n{as_text}",
            options.to,
            options.allocator.name(),
            options.arena,
            converted.to
        )
    };
    let found =
        run(&converted.wasm, converted.to, program, &INPUTS).unwrap_or_else(|error| panic!("{error}: {}", what()));
    assert_eq!(found.len(), expected.len());
    for (call, (found, expected)) in found.iter().zip(expected).enumerate() {
        let name = || format!("call {call}: {}", what());
        assert!(found.log == expected.log, "says {:?}, not {:?}: {}", found.log, expected.log, name());
        assert_eq!(found.output, expected.output, "output of {}", name());
        assert_eq!(found.globals, expected.globals, "globals of {}", name());
        assert!(
            found.below == expected.below,
            "memory below the heap differs at {:?}: {}",
            differs(found, expected),
            name()
        );
        assert_eq!(found.blocks, expected.blocks, "blocks of {}", name());
    }
    found
}

/// The first address below the heap at which two calls left different bytes.
fn differs(one: &Seen, other: &Seen) -> Option<usize> {
    one.below.iter().zip(&other.below).position(|(a, b)| a != b)
}
