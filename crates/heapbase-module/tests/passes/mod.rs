//! A module behaves the same before and after a pass: random modules are executed before and after.
//!
//! Used by the test `passes` and by the fuzz target `fuzz/adapt`.

pub(crate) mod generate;
pub(crate) mod machine;
pub(crate) mod naive;
pub(crate) mod second;

use arbitrary::{Result, Unstructured};
use generate::Kind;
use heapbase_module::{canonical::canonicalise, lower, pass::PassError, prune};
use machine::{Run, run};
use wasmparser::Validator;

/// How often what was reached, so that nobody believes in a comparison of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Modules that were executed before and after.
    pub(crate) modules: u32,
    /// Modules that a pass refused.
    pub(crate) refused: u32,
    /// Calls that were compared.
    pub(crate) calls: u32,
    /// Those that trapped.
    pub(crate) traps: u32,
    /// Modules of which something was lowered.
    pub(crate) lowered: u32,
    /// Modules whose table was shifted.
    pub(crate) shifted: u32,
    /// Modules in which NaNs became canonical, and such in which some did not have to.
    pub(crate) canonical: u32,
    pub(crate) left_alone: u32,
    /// Differences that another engine did not see.
    pub(crate) overruled: u32,
}

/// Makes a module, runs passes over it, and compares.
///
/// # Panics
///
/// When a pass fails with a mistake of its own, or the result behaves differently.
pub(crate) fn check(u: &mut Unstructured<'_>, tally: &mut Tally) -> Result<()> {
    let kind = *u.choose(&[Kind::Lower, Kind::Lower, Kind::Lower, Kind::Prune, Kind::Canonical])?;
    let options = generate::options(u)?;
    let wasm = generate::module(u, kind, &options)?;
    let before = match run(&wasm) {
        Ok(before) => before,
        // A module that no engine takes, or that does not come to its end, is not worth looking at.
        Err(_) => return Ok(()),
    };
    match kind {
        Kind::Lower => {
            let Some(lowered) = lowered(&wasm, &options, tally) else { return Ok(()) };
            compare(&wasm, &lowered, &before, "lower", tally);
            // And with all passes in the order in which an adaptation takes them.
            let pruned = pruned(&wasm, tally);
            compare(&wasm, &pruned, &before, "prune", tally);
            let Some(lowered) = self::lowered(&pruned, &options, tally) else {
                panic!("refused only when it is pruned\n{}", text(&wasm));
            };
            compare(&wasm, &lowered, &before, "prune, lower", tally);
            let again = self::pruned(&lowered, tally);
            compare(&wasm, &again, &before, "prune, lower, prune", tally);
        }
        Kind::Prune => compare(&wasm, &pruned(&wasm, tally), &before, "prune", tally),
        Kind::Canonical => {
            let naive = naive::canonicalise(&wasm);
            let expected = run(&naive).unwrap_or_else(|error| panic!("{error}\n{}", text(&wasm)));
            let done = match canonicalise(&wasm) {
                Ok(done) => done,
                Err(error) => panic!("{error}\n{}", text(&wasm)),
            };
            tally.canonical += u32::from(!done.changes.is_empty());
            tally.left_alone += u32::from(done.changes.first().is_some_and(|change| !change.contains("; 0 others")));
            compare(&naive, &done.wasm, &expected, "canonical", tally);
        }
    }
    tally.modules += 1;
    Ok(())
}

fn lowered(wasm: &[u8], options: &lower::Options, tally: &mut Tally) -> Option<Vec<u8>> {
    match lower::lower(wasm, options) {
        Ok(lowered) => {
            let valid = Validator::new_with_features(options.features()).validate_all(&lowered.wasm);
            assert!(valid.is_ok(), "{:?}", valid.err());
            let again = lower::lower(&lowered.wasm, options).expect("what is lowered stays lowered");
            assert!(again.wasm == lowered.wasm && again.changes.is_empty(), "{:?}\n{}", again.changes, text(wasm));
            tally.lowered += u32::from(!lowered.changes.is_empty());
            Some(lowered.wasm)
        }
        Err(PassError::Unsupported { .. } | PassError::TooLarge { .. }) => {
            tally.refused += 1;
            None
        }
        Err(error) => panic!("{error}\n{}", text(wasm)),
    }
}

fn pruned(wasm: &[u8], tally: &mut Tally) -> Vec<u8> {
    let pruned =
        prune::prune(wasm, &prune::Options::default()).unwrap_or_else(|error| panic!("{error}\n{}", text(wasm)));
    tally.shifted += u32::from(pruned.changes.iter().any(|change| change.contains("shifted")));
    let again = prune::prune(&pruned.wasm, &prune::Options::default()).expect("what is pruned stays pruned");
    assert!(again.wasm == pruned.wasm, "{:?}\n{}", again.changes, text(wasm));
    pruned.wasm
}

/// A module as text.
pub(crate) fn text(wasm: &[u8]) -> String {
    wasmprinter::print_bytes(wasm).unwrap_or_else(|error| error.to_string())
}

/// Compares what a module does with what another one did, `expected`.
fn compare(expected: &[u8], wasm: &[u8], before: &Run, pass: &str, tally: &mut Tally) {
    let what = || format!("{pass}\n{}\nbecame\n{}", text(expected), text(wasm));
    let after = match run(wasm) {
        Ok(after) => after,
        Err(error) => panic!("{error}: {}", what()),
    };
    let Some(difference) = difference(before, &after, tally) else { return };
    // Engines have mistakes of their own, which show in one module and not in the other. Another one is asked.
    let (Ok(before), Ok(after)) = (second::run(expected), second::run(wasm)) else {
        panic!("{difference}\n{}", what())
    };
    match self::difference(&before, &after, &mut Tally::default()) {
        None => tally.overruled += 1,
        Some(difference) => panic!("{difference}\n{}", what()),
    }
}

/// What differs between two runs, if anything.
fn difference(before: &Run, after: &Run, tally: &mut Tally) -> Option<String> {
    if before.instantiated != after.instantiated {
        return Some(format!("instantiation: {:?}, then {:?}", before.instantiated, after.instantiated));
    }
    for (before, after) in before.calls.iter().zip(&after.calls) {
        // Where the stack ends is the engine's matter.
        if before.ran_out || after.ran_out {
            return None;
        }
        tally.calls += 1;
        tally.traps += u32::from(before.trap.is_some());
        if before != after {
            return Some(format!("before {before:?}\nafter  {after:?}"));
        }
    }
    (before.calls.len() != after.calls.len()).then(|| "another number of calls".to_owned())
}
