//! One row of the table: the same work by several contestants, in turns.

use crate::runners::Runner;
use anyhow::{Result, bail};
use bench_common::stats::{Sample, Summary, batch};
use std::time::Duration;

/// How often things are repeated.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds of calls and of blocks.
    pub rounds: u32,
    /// Rounds of compilations and of new processes.
    pub cold_rounds: u32,
    /// How long one sample should last at least.
    pub target: Duration,
}

impl Effort {
    /// For figures that are written down.
    pub const FULL: Self = Self { rounds: 41, cold_rounds: 5, target: Duration::from_millis(20) };
    /// For CI, which looks at the answers and not at the times.
    pub const SMOKE: Self = Self { rounds: 2, cold_rounds: 1, target: Duration::from_millis(1) };
}

/// One contestant's column in a row.
pub struct Cell {
    /// The contestant.
    pub name: String,
    /// Its figures, or why there are none.
    pub outcome: Result<Summary, String>,
}

/// A row of the table.
pub struct Row {
    /// What was done.
    pub title: String,
    /// Who did it, in the order of the columns.
    pub cells: Vec<Cell>,
}

impl Row {
    /// The row, if nobody failed.
    ///
    /// # Errors
    /// Who failed, and why.
    pub fn complete(self) -> Result<Self> {
        for cell in &self.cells {
            if let Err(error) = &cell.outcome {
                bail!("{}: {} fails: {error}", self.title, cell.name);
            }
        }
        Ok(self)
    }
}

/// Runs every runner once to warm up and to compare the answers, then `rounds` times in turns.
///
/// Who begins changes with every round, so that nobody always runs in another's wake. With a `target`, a sample holds
/// as many calls as fill it.
///
/// # Errors
/// Two contestants give different answers.
pub fn race(title: &str, rounds: u32, target: Option<Duration>, mut runners: Vec<Runner<'_>>) -> Result<Row> {
    let mut failures: Vec<Option<String>> = vec![None; runners.len()];
    let mut batches = vec![1; runners.len()];
    let mut answers: Vec<(usize, Vec<u8>)> = Vec::new();
    for (who, runner) in runners.iter_mut().enumerate() {
        let first = (runner.run)(1);
        let second = match (&first, target) {
            // The first call may have compiled the runtime.
            (Ok(_), Some(_)) => (runner.run)(1),
            _ => first,
        };
        match second {
            Ok((sample, answer)) => {
                answers.push((who, answer));
                batches[who] = target.map_or(1, |target| batch(sample, target));
            }
            Err(error) => failures[who] = Some(error),
        }
    }
    if let Some(((first, expected), others)) = answers.split_first() {
        for (who, answer) in others {
            if answer != expected {
                bail!(
                    "{title}: {} answers {} bytes, {} answers {} bytes, and they differ from byte {}",
                    runners[*first].name,
                    expected.len(),
                    runners[*who].name,
                    answer.len(),
                    expected.iter().zip(answer).take_while(|(a, b)| a == b).count(),
                );
            }
        }
    }

    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); runners.len()];
    for round in 0..rounds as usize {
        for turn in 0..runners.len() {
            let who = (round + turn) % runners.len();
            if failures[who].is_some() {
                continue;
            }
            match (runners[who].run)(batches[who]) {
                Ok((sample, _)) => samples[who].push(sample),
                Err(error) => failures[who] = Some(error),
            }
        }
    }
    let cells = runners.iter().zip(failures).zip(&samples).map(|((runner, failure), samples)| Cell {
        name: runner.name.clone(),
        outcome: match failure {
            Some(error) => Err(error),
            None => Summary::of(samples).ok_or_else(|| "no samples".to_owned()),
        },
    });
    Ok(Row { title: title.to_owned(), cells: cells.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says<'a>(name: &str, answer: &'a [u8]) -> Runner<'a> {
        let run = move |_| Ok((Sample { nanos: 1e6, faults: 0.0 }, answer.to_vec()));
        Runner { name: name.to_owned(), run: Box::new(run) }
    }

    #[test]
    fn different_answers_are_an_error_that_says_where() {
        let runners = vec![says("a", b"same"), says("b", b"sane")];
        let error = race("title", 1, None, runners).err().unwrap().to_string();
        assert!(error.contains("differ from byte 2"), "{error}");
    }

    #[test]
    fn who_fails_has_no_figures_and_does_not_stop_the_others() {
        let fails = Runner { name: "b".into(), run: Box::new(|_| Err("no".to_owned())) };
        let row = race("title", 5, None, vec![says("a", b"x"), fails]).unwrap();
        assert_eq!(row.cells[0].outcome.as_ref().unwrap().rounds.len(), 5);
        assert_eq!(row.cells[1].outcome.as_ref().unwrap_err(), "no");
    }
}
