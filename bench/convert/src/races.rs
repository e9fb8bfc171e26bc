//! The races: every form of a runtime on every host that runs it, in turns.

use crate::{
    file,
    subject::{Form, Subject},
};
use anyhow::{Context, Result};
use bench_common::{Request, Work, material::Runtime, stats::Clock};
use bench_host::{
    race::{Row, race},
    report,
    runners::{Peer, Runner, alternating},
};
use heapbase_module::inspect;
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

/// Who runs what, in the order of a row's cells.
pub const CONTESTANTS: [(&str, Form); 7] = [
    ("sc-executor", Form::Original),
    ("sc-executor", Form::Local),
    ("sc-executor-eager", Form::Original),
    ("sc-executor-eager", Form::Local),
    ("heapbase", Form::Original),
    ("heapbase", Form::V1),
    ("heapbase", Form::Local),
];

/// Two cells of a row: the base of a ratio and the other.
pub type Pair = (usize, usize);
/// Local beside the original on the node's executor.
pub const NODE: Pair = (0, 1);
/// The same where each instance is made anew.
pub const EAGER: Pair = (2, 3);
/// v1 beside the original on our host.
pub const OURS_V1: Pair = (4, 5);
/// Local beside the original on our host.
pub const OURS_LOCAL: Pair = (4, 6);

/// How a contestant is called in messages.
pub fn name(contestant: &str, form: Form) -> String {
    format!("{contestant} {form:?}").to_lowercase()
}

/// How often things are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Rounds.
    pub rounds: u32,
    /// How long one sample lasts at least.
    pub target: Duration,
}

impl Effort {
    /// For figures that are written down.
    pub const FULL: Self = Self { rounds: 41, target: Duration::from_millis(5) };
    /// For every other entry point, before one that seems slower is looked at again.
    pub const BRIEF: Self = Self { rounds: 11, target: Duration::from_millis(2) };
    /// For CI, which looks at the answers and not at the times.
    pub const SMOKE: Self = Self { rounds: 2, target: Duration::from_millis(1) };
}

/// An entry point slower than this on any host is raced again with all rounds.
const SUSPICIOUS: f64 = 1.02;

/// The contestants' processes, in the order of [`CONTESTANTS`].
pub struct Races<'a> {
    /// With the form that each runs.
    pub peers: &'a [(Form, Rc<RefCell<Peer>>)],
    /// Repeats for what has a table of its own.
    pub effort: Effort,
    /// Repeats for everything else.
    pub brief: Effort,
}

impl Races<'_> {
    /// The block of a case.
    ///
    /// # Errors
    /// Somebody fails, or a root is not the case's.
    pub fn block(&self, subject: &Subject) -> Result<Row> {
        let (.., expected) = subject.case.clone().context("the subject is no case")?;
        let runners = self.peers.iter().map(|(form, peer)| {
            alternating(peer, &work(subject, file(subject, *form), "Core_execute_block")).expecting(expected)
        });
        let runners = runners.collect();
        self.race(&subject.title, self.effort, runners)
    }

    /// One entry point, called with no input on an empty state.
    ///
    /// # Errors
    /// Somebody fails, or two answers differ.
    pub fn call(&self, subject: &Subject, entry: &str, effort: Effort) -> Result<Row> {
        let runners =
            self.peers.iter().map(|(form, peer)| alternating(peer, &work(subject, file(subject, *form), entry)));
        let runners = runners.collect();
        let row = self.race(&format!("{}, {entry}", subject.title), effort, runners)?;
        Ok(Row { title: subject.title.clone(), ..row })
    }

    /// Every other entry point that answers to no input on an empty state, with its name as the row's title.
    ///
    /// # Errors
    /// As [`Races::call`]; also where one answers the original only.
    pub fn others(&self, subject: &Subject) -> Result<(String, Vec<Row>)> {
        let original = Runtime::read(file(subject, Form::Original))?;
        let report = inspect(&original.code)?;
        let entries = report.exports.iter().filter(|export| &*export.ty == "(i32, i32) -> i64");
        let mut rows = Vec::new();
        for entry in entries.map(|export| export.name.as_str()) {
            if ["Core_version", "Metadata_metadata"].contains(&entry) || !self.answers(subject, entry) {
                continue;
            }
            let mut row = self.call(subject, entry, self.brief)?;
            let slow = [NODE, OURS_V1, OURS_LOCAL].into_iter().any(|pair| ratio(&row, pair) > SUSPICIOUS);
            if slow && self.brief != self.effort {
                row = self.call(subject, entry, Effort { rounds: self.effort.rounds, ..self.brief })?;
            }
            row.title = entry.to_owned();
            rows.push(row);
        }
        Ok((subject.title.clone(), rows))
    }

    /// Whether the original answers on the first contestant.
    fn answers(&self, subject: &Subject, entry: &str) -> bool {
        let work = work(subject, file(subject, Form::Original), entry);
        let request = Request { work, calls: 1, fresh: false, clock: Clock::Wall, processor: None };
        self.peers.first().is_some_and(|(_, peer)| peer.borrow_mut().run(&request).is_ok())
    }

    fn race(&self, title: &str, effort: Effort, runners: Vec<Runner<'_>>) -> Result<Row> {
        let row = race(title, effort.rounds, Some(effort.target), runners)?.complete()?;
        eprintln!(
            "{title}: local ÷ original {:.3}, eager {:.3}; on heapbase v1 {:.3}, local {:.3}",
            ratio(&row, NODE),
            ratio(&row, EAGER),
            ratio(&row, OURS_V1),
            ratio(&row, OURS_LOCAL),
        );
        Ok(row)
    }
}

/// The block of a case by this runtime, or `entry` of it, called with no input on an empty state.
pub fn work(subject: &Subject, runtime: &Path, entry: &str) -> Work {
    match &subject.case {
        Some((case, parent_state_root, _)) => Work::Block {
            case: case.clone(),
            runtime: Some(runtime.to_owned()),
            parent_state_root: *parent_state_root,
            proof: PathBuf::new(),
        },
        None => Work::Call { runtime: runtime.to_owned(), entry: entry.to_owned(), input: Vec::new() },
    }
}

/// The median of the rounds' ratios.
pub fn ratio(row: &Row, (base, other): Pair) -> f64 {
    report::multiple(&row.cells[base], &row.cells[other]).map_or(f64::NAN, |(ratio, _)| ratio)
}

/// Minor page faults of one call.
pub fn faults(row: &Row, cell: usize) -> f64 {
    row.cells[cell].outcome.as_ref().map_or(f64::NAN, |summary| summary.faults)
}
