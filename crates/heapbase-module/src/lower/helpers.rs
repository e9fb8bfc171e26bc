//! The functions that instructions become, made when they are needed first.

use super::bulk;
use super::passive::{self, Left};
use super::saturate::Saturate;
use crate::pass::Parts;
use std::collections::BTreeMap;
use wasm_encoder::{Function, ValType};

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    Copy,
    Fill,
    Saturate(Saturate),
    /// `memory.init` of a segment.
    Init(u32),
}

/// A function that came.
pub(super) struct Helper {
    pub(super) name: String,
    pub(super) params: Vec<ValType>,
    pub(super) results: Vec<ValType>,
    pub(super) function: Function,
}

/// All that come, in the order in which they were needed.
pub(super) struct Helpers {
    /// The index of the first.
    first: u32,
    places: BTreeMap<Purpose, u32>,
    list: Vec<Helper>,
}

const COPY: [ValType; 3] = [ValType::I32; 3];

impl Helpers {
    /// None yet; the first will be the function `first`.
    pub(super) fn new(first: u32) -> Self {
        Self { first, places: BTreeMap::new(), list: Vec::new() }
    }

    fn add(&mut self, name: String, params: &[ValType], results: &[ValType], function: Function) -> u32 {
        let index = self.first + self.list.len() as u32;
        self.list.push(Helper { name, params: params.to_vec(), results: results.to_vec(), function });
        index
    }

    fn get(&mut self, purpose: Purpose, make: impl FnOnce(&mut Self) -> u32) -> u32 {
        if let Some(place) = self.places.get(&purpose) {
            return *place;
        }
        let place = make(self);
        self.places.insert(purpose, place);
        place
    }

    /// `memory.copy`.
    pub(super) fn copy(&mut self) -> u32 {
        self.get(Purpose::Copy, |all| all.add("memory.copy".to_owned(), &COPY, &[], bulk::copy()))
    }

    /// `memory.fill`.
    pub(super) fn fill(&mut self) -> u32 {
        self.get(Purpose::Fill, |all| all.add("memory.fill".to_owned(), &COPY, &[], bulk::fill()))
    }

    /// A conversion.
    pub(super) fn saturate(&mut self, conversion: Saturate) -> u32 {
        self.get(Purpose::Saturate(conversion), |all| {
            let name = conversion.name().to_owned();
            all.add(name, &[conversion.from()], &[conversion.to()], conversion.function())
        })
    }

    /// `memory.init` of a segment.
    pub(super) fn init(&mut self, parts: &Parts<'_>, segment: u32, left: Left) -> u32 {
        self.get(Purpose::Init(segment), |all| {
            let data = match left {
                Left::Nothing => &[],
                _ => parts.data.get(segment as usize).map_or(&[][..], |data| data.data),
            };
            let word = |all: &mut Self, number: usize, part: &[u8]| {
                all.add(format!("data {segment} part {number}"), &[ValType::I32], &[ValType::I64], passive::words(part))
            };
            let list: Vec<u32> =
                data.chunks(8 * passive::WORDS).enumerate().map(|(number, part)| word(all, number, part)).collect();
            let words = match list[..] {
                [] => None,
                [only] => Some(only),
                _ => {
                    Some(all.add(format!("data {segment}"), &[ValType::I32], &[ValType::I64], passive::dispatch(&list)))
                }
            };
            all.add(format!("memory.init {segment}"), &COPY, &[], passive::init(left, words))
        })
    }

    /// The functions, and the index of the first.
    pub(super) fn finish(self) -> (u32, Vec<Helper>) {
        (self.first, self.list)
    }
}
