//! Validation, twice: by the rules of stock nodes, and where that fails by today's.
//!
//! A module that passes the first is done with; so the second pass costs time only where something is unusual. That
//! both readings are asked also keeps the list of [`features`](super::features) honest: what a stock node refuses and
//! the list does not know is reported as [`Flaw::RefusedEncoding`].

use super::collector::Problems;
use super::flaw::{Flaw, Place};
use super::outline::Outline;
use wasmparser::{Validator, WasmFeatures};

/// Reports what does not validate, and what stock nodes refuse.
pub(super) fn check(wasm: &[u8], outline: &Outline<'_>, problems: &mut Problems) {
    let refused = outline.features.uses().into_iter().filter(|used| !used.stock_nodes);
    let mut is_refused = false;
    for used in refused {
        is_refused = true;
        let place = outline.place(used.first_offset);
        problems.add(Flaw::RefusedFeature { feature: used.name, count: used.count }, place);
    }
    let Err(stock) = Validator::new_with_features(WasmFeatures::WASM1).validate_all(wasm) else {
        return;
    };
    match Validator::new_with_features(WasmFeatures::all()).validate_all(wasm) {
        Ok(_) if is_refused => {}
        Ok(_) => {
            let place = outline.place(stock.offset());
            problems.add(Flaw::RefusedEncoding { message: stock.message().to_owned() }, place);
        }
        Err(error) => {
            problems.add(Flaw::Invalid { message: error.message().to_owned() }, outline.place(error.offset()));
        }
    }
}

impl Outline<'_> {
    /// The place of an offset.
    fn place(&self, offset: u64) -> Place {
        Place { section: self.section_at(offset), name: None, offset: Some(offset) }
    }
}
