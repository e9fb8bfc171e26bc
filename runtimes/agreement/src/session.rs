//! All questions, in their order: one conversation with any number of ledgers.

use crate::{
    interview::{self, Way},
    question::Question,
    scene::Scene,
};
use rand::Rng;
use std::collections::{BTreeMap, VecDeque};

/// How many questions there are, and what they are made from.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Blocks that are right.
    pub blocks: u32,
    /// Spoiled blocks for each of them.
    pub spoiled: usize,
    /// What everything is chosen by.
    pub seed: u64,
    /// After every so many blocks, everything around blocks is asked too.
    pub around_every: u32,
}

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Transfers in all blocks that were right.
    pub transfers: usize,
    /// Questions.
    pub questions: u64,
    /// How often each way to spoil a block was tried.
    pub tried: BTreeMap<Way, u32>,
}

impl Summary {
    /// The ways that no block had what it takes for.
    pub fn missed(&self) -> Vec<Way> {
        Way::all().into_iter().filter(|way| !self.tried.contains_key(way)).collect()
    }
}

/// Large blocks: one in fifty.
const LARGE: usize = 100;
/// The largest block, and its place: collectors have to collect in it.
const LARGEST: (u32, usize) = (41, 2_000);

impl Session {
    /// Asks everything.
    ///
    /// # Errors
    /// The first error of `ask`, which ends the session.
    pub fn run<E>(self, mut ask: impl FnMut(&Question) -> Result<(), E>) -> Result<Summary, E> {
        let mut summary = Summary::default();
        let mut ask = |question: &Question| {
            summary.questions += 1;
            ask(question)
        };
        let mut tried = BTreeMap::new();
        let mut transfers = 0;
        let mut ways: VecDeque<Way> = Way::all().into();
        let mut scene = Scene::new(self.seed);
        interview::once().iter().try_for_each(&mut ask)?;
        for block in 0..self.blocks {
            let size = match block {
                _ if block == LARGEST.0 => LARGEST.1,
                _ if block % 50 == 49 => LARGE,
                _ => scene.random.gen_range(0..12),
            };
            let draft = scene.draft(size);
            transfers += draft.extrinsics.len() - 1;
            ask(&interview::valid(&scene, &draft))?;
            for _ in 0..self.spoiled {
                // What this block has not what it takes for comes with a later one.
                ways.rotate_left(1);
                let Some(way) = ways.back().copied() else { continue };
                if let Some(question) = interview::spoiled(&mut scene, &draft, way) {
                    *tried.entry(way).or_default() += 1;
                    ask(&question)?;
                }
            }
            if block % self.around_every == 0 {
                interview::building(&mut scene, &draft).iter().try_for_each(&mut ask)?;
                interview::around(&mut scene, &draft).iter().try_for_each(&mut ask)?;
            }
            scene.follow(&draft);
        }
        Ok(Summary { transfers, tried, ..summary })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(seed: u64) -> (Vec<(String, Vec<u8>)>, Summary) {
        let mut asked = Vec::new();
        let session = Session { blocks: 60, spoiled: 3, seed, around_every: 20 };
        let summary = session.run(|question| {
            asked.push((question.about.clone(), question.input.clone()));
            Ok::<(), ()>(())
        });
        (asked, summary.expect("asking never fails"))
    }

    #[test]
    fn the_same_seed_asks_the_same() {
        let (first, summary) = asked(3);
        assert!(first == asked(3).0);
        assert!(first != asked(4).0);
        assert_eq!(first.len() as u64, summary.questions);
        assert!(summary.missed().len() < 10, "{:?}", summary.missed());
    }
}
