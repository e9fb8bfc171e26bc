//! The rows: what is raced, and on what.

use anyhow::{Context, Result};
use bench_common::{
    Work,
    material::{Case, case_files},
};
use bench_host::{
    chosen,
    race::{Effort, Row, race},
    runners::{Peer, process, served},
    state::PreparedCase,
};
use std::{cell::RefCell, ffi::OsString, path::Path, rc::Rc};

/// A section of the report: rows that have the same columns.
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What was done, in a sentence.
    pub about: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
    /// One row, shown with a line for each contestant.
    pub contestants_as_lines: bool,
}

/// The first row of a process: the runtime nearest to 6 MB of those chosen.
const SIX_MEGABYTES: &str = "polkadot-21c460";

/// Everything that rows are made from.
pub struct Bench<'a> {
    /// The folder with `corpus/` and `cases/`.
    pub shared: &'a Path,
    /// The contestants, the base of the ratio first.
    pub peers: &'a [Rc<RefCell<Peer>>],
    /// smoldot's program, where it takes part.
    pub smoldot: Option<&'a Path>,
    /// A folder that is thrown away.
    pub scratch: &'a Path,
    /// Repeats.
    pub effort: Effort,
    /// A smaller selection.
    pub smoke: bool,
}

impl Bench<'_> {
    fn race(&self, title: &str, work: &Work) -> Result<Row> {
        let runners = self.peers.iter().map(|peer| served(peer, work, false)).collect();
        report(race(title, self.effort.rounds, Some(self.effort.target), runners)?)
    }

    /// Compiling: the first call of a new executor.
    ///
    /// # Errors
    /// As [`race`]; also in all others.
    pub fn compile(&self) -> Result<Section> {
        let mut rows = Vec::new();
        let runtimes = chosen(self.shared, self.smoke)?;
        let every = if self.smoke { 1 } else { 4 };
        for (title, file) in runtimes.into_iter().step_by(every) {
            let work = Work::Call { runtime: file, entry: "Core_version".into(), input: Vec::new() };
            let runners = self.peers.iter().map(|peer| served(peer, &work, true)).collect();
            rows.push(report(race(&title, self.effort.cold_rounds, None, runners)?)?);
        }
        Ok(Section {
            title: "Compiling",
            about: "A new executor in a process that runs already, its first `Core_version`. Nobody has a cache on disk.",
            rows,
            contestants_as_lines: false,
        })
    }

    /// One entry point on the chosen runtimes.
    ///
    /// # Errors
    /// As [`race`].
    pub fn calls(&self, title: &'static str, entry: &str, about: &'static str) -> Result<Section> {
        let mut rows = Vec::new();
        for (title, file) in chosen(self.shared, self.smoke)? {
            let work = Work::Call { runtime: file, entry: entry.to_owned(), input: Vec::new() };
            rows.push(self.race(&title, &work)?);
        }
        Ok(Section { title, about, rows, contestants_as_lines: false })
    }

    /// Every case.
    ///
    /// # Errors
    /// As [`race`]; also where a root is not the one that the case expects.
    pub fn blocks(&self) -> Result<Section> {
        let mut rows = Vec::new();
        for file in case_files(self.shared)? {
            let case = Case::read(&file)?;
            if self.smoke && !case.name.starts_with("kusama") {
                continue;
            }
            let prepared = PreparedCase::new(&case)?;
            let proof = self.scratch.join(format!("{}.proof", case.name));
            std::fs::write(&proof, prepared.full_proof()).with_context(|| format!("writing {}", proof.display()))?;
            let parent_state_root = prepared.parent_state_root;
            let work = Work::Block { case: file, runtime: None, parent_state_root, proof };
            let expected = prepared.expected_state_root;
            let runners = self.peers.iter().map(|peer| served(peer, &work, false).expecting(expected)).collect();
            let row = race(&case.name, self.effort.rounds, Some(self.effort.target), runners)?;
            rows.push(report(row)?);
        }
        Ok(Section {
            title: "Blocks",
            about: "`Core_execute_block` on a fresh overlay and the root of the state after, which has to be the case's. \
                    smoldot reads its state from a proof that holds the whole trie and checks the root inside of the runtime.",
            rows,
            contestants_as_lines: false,
        })
    }

    /// New processes.
    ///
    /// # Errors
    /// As [`race`].
    pub fn cold(&self) -> Result<Section> {
        let program = std::env::current_exe().context("finding this program")?;
        let prefix = if self.smoke { "node-template-06a513" } else { SIX_MEGABYTES };
        let (title, file) = chosen(self.shared, self.smoke)?
            .into_iter()
            .find(|(title, _)| title.starts_with(prefix))
            .with_context(|| format!("the corpus has no {prefix}"))?;
        let child = |name: &str, contestant: &str, cache: Option<&str>| {
            let mut arguments: Vec<OsString> = vec!["cold".into(), contestant.into(), file.clone().into()];
            if let Some(folder) = cache {
                arguments.push("--cache".into());
                arguments.push(self.scratch.join(folder).into());
            }
            process(name, &program, arguments)
        };
        let mut runners = vec![
            child("sc-executor", "sc-executor", None),
            child("heapbase wasmi", "heapbase-wasmi", None),
            child("heapbase, warm cache", "heapbase-direct", Some("heapbase")),
            child("sc-executor, warm wasmtime cache", "sc-executor", Some("sc-executor")),
        ];
        if let Some(smoldot) = self.smoldot {
            let arguments = vec!["cold".into(), "wasmi".into(), file.clone().into()];
            runners.push(process("smoldot wasmi", smoldot, arguments));
        }
        let row = race(&title, self.effort.cold_rounds, None, runners)?;
        let empty = process("a process that does nothing", &program, vec!["nothing".into()]);
        let empty = race("", self.effort.cold_rounds, None, vec![empty])?;
        let mut row = report(row)?;
        row.cells.extend(empty.cells);
        Ok(Section {
            title: "The first answer of a new process",
            about: "From starting the process to its end, one `Core_version`; page faults of the process from its start on. \
                    heapbase as `heapbase call` uses it, with nothing kept from an earlier run or with its compiled code.",
            rows: vec![row],
            contestants_as_lines: true,
        })
    }
}

/// Says on standard error that a row is done.
fn report(row: Row) -> Result<Row> {
    eprintln!("{}", bench_host::report::line(&row));
    Ok(row)
}
