//! What each part of a conversion brings: a runtime as converted, and as converted without what can be left out.

use crate::{
    file,
    races::{Effort, work},
    subject::{Form, Subject},
};
use anyhow::{Context, Result};
use bench_host::{
    race::{Row, race},
    runners::{Peer, alternating},
};
use heapbase_module::{
    Spec,
    convert::{Options, convert},
};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

/// The base of all ratios to the original.
pub const ORIGINAL: usize = 0;
/// Everything that `convert` does.
pub const WHOLE: usize = 1;
/// Without growing in place.
pub const NOT_IN_PLACE: usize = 2;
/// Without quicker routines.
pub const NO_ROUTINES: usize = 3;
/// The heap alone.
pub const HEAP: usize = 4;

/// Names of a row's cells: the original, and what growing in place and quicker routines are, on or off.
const CELLS: [(&str, Option<(bool, bool)>); 5] = [
    ("original", None),
    ("whole", Some((true, true))),
    ("not in place", Some((false, true))),
    ("no routines", Some((true, false))),
    ("heap alone", Some((false, false))),
];

/// One call by all of them, and how many places of the runtime grow in place.
pub struct Parts {
    /// The times, in the order of the constants above.
    pub row: Row,
    /// Places in the code that grow blocks in place.
    pub places: usize,
}

/// The contestants' processes: unmodified sc-executors, as nodes have them.
pub struct Contest {
    peers: Vec<Rc<RefCell<Peer>>>,
    effort: Effort,
}

impl Contest {
    /// Starts them.
    ///
    /// # Errors
    /// One does not start.
    pub fn new(program: &Path, effort: Effort) -> Result<Self> {
        let start = |(name, _): &(&str, _)| {
            let peer = Peer::start(name, Command::new(program).args(["serve", "sc-executor"]))?;
            Ok(Rc::new(RefCell::new(peer)))
        };
        Ok(Self { peers: CELLS.iter().map(start).collect::<Result<_>>()?, effort })
    }

    /// Races the block of a case, or `entry` called with no input on an empty state.
    ///
    /// # Errors
    /// The converter refuses a form, a call fails, two answers differ, or a root is not the case's.
    pub fn measure(&self, subject: &Subject, entry: &str) -> Result<Parts> {
        let original = file(subject, Form::Original);
        let wasm = std::fs::read(original)?;
        let mut places = 0;
        let files: Vec<PathBuf> = CELLS
            .iter()
            .map(|(name, on)| {
                let Some((in_place, routines)) = *on else { return Ok(original.to_owned()) };
                let mut options = Options::new(Spec::Local);
                (options.in_place, options.routines) = (in_place, routines);
                let done = convert(&wasm, &options).with_context(|| format!("{}, {name}", subject.title))?;
                places = places.max(grown(&done.changes));
                let path = original.with_extension(format!("{}.wasm", name.replace(' ', "-")));
                std::fs::write(&path, done.wasm).with_context(|| format!("writing {}", path.display()))?;
                Ok(path)
            })
            .collect::<Result<_>>()?;
        let runners = self.peers.iter().zip(&files).map(|(peer, file)| {
            let runner = alternating(peer, &work(subject, file, entry));
            match subject.case {
                Some((.., expected)) => runner.expecting(expected),
                None => runner,
            }
        });
        let row = race(&subject.title, self.effort.rounds, Some(self.effort.target), runners.collect())?.complete()?;
        eprintln!("{}: raced with each part and without", subject.title);
        Ok(Parts { row, places })
    }
}

/// How many places grow in place, by what the converter says.
fn grown(changes: &[String]) -> usize {
    let said =
        changes.iter().find_map(|change| change.strip_suffix(" places")).and_then(|said| said.rsplit(' ').next());
    said.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_from_what_the_converter_says() {
        let said = ["merged the allocator", "let blocks grow in place where …: 43 places"].map(String::from);
        assert_eq!(grown(&said), 43);
        assert_eq!(grown(&said[..1]), 0);
    }
}
