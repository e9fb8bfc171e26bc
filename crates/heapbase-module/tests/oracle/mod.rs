//! What must hold of every answer, whatever the bytes were. The fuzz targets in `fuzz/module` ask the same.

use heapbase_module::{Error, Report};
use wasmparser::{Validator, WasmFeatures};

/// Panics when the answer contradicts the bytes.
pub(crate) fn check(wasm: &[u8], answer: &Result<Report, Error>) {
    match answer {
        Err(Error::Malformed { offset, .. }) => assert!(*offset <= wasm.len() as u64),
        Err(_) => {}
        Ok(report) => {
            let sections: u64 = report.sections.iter().map(|section| section.size).sum();
            assert_eq!(sections + 8, report.size);
            for problem in &report.problems {
                assert!(problem.place.offset.is_none_or(|offset| offset <= report.size));
            }
            let validates = |features| Validator::new_with_features(features).validate_all(wasm).is_ok();
            let (stock, all) = (validates(WasmFeatures::WASM1), validates(WasmFeatures::all()));
            let has = |code| report.problems.iter().any(|problem| problem.code() == code);
            assert_eq!(!stock && !all, has("invalid"));
            assert!(stock || !all || has("refused-feature") || has("refused-encoding"));
            serde_json::to_writer(std::io::sink(), report).expect("a report is JSON");
        }
    }
}
