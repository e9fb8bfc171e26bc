//! Custom sections: the version, the record, names and producers.

use super::{adapted, local};
use heapbase_module::adapt::{AdaptError, Version, adapt};

const MODULE: &str = r#"(module
  (memory 1)
  (@custom "target_features" "\00")
  (@custom ".debug_info" "x")
  (@custom "kept" "as it is")
  (@custom "runtime_version" "\00")
  (func $inner (result i64) (i64.const 0))
  (func $outer (export "f") (param i32 i32) (result i64) (call $inner)))"#;

const VERSION: &str = r#"{
  "spec_name": "ledger", "impl_name": "ledger-go", "authoring_version": 2, "spec_version": 7, "impl_version": 3,
  "transaction_version": 4, "system_version": 1,
  "apis": { "Core": 5, "Metadata": 2, "0xd2bc9897eed08f15": 3 }
}"#;

#[test]
fn the_version_is_read_as_nodes_read_it() {
    let mut options = local();
    options.version = Some(Version::read(VERSION.as_bytes()).unwrap());
    let report = heapbase_module::inspect(&adapted(MODULE, &options).wasm).unwrap();
    let version = report.runtime_version.unwrap();
    assert_eq!((version.spec_name.as_str(), version.impl_name.as_str()), ("ledger", "ledger-go"));
    assert_eq!((version.authoring_version, version.spec_version, version.impl_version), (2, 7, 3));
    assert_eq!((version.transaction_version, version.system_version), (4, 1));
    let sections = report.sections.iter().filter(|section| section.name.as_deref() == Some("runtime_version"));
    assert_eq!(sections.count(), 1, "the one that was there goes");
    let apis: Vec<_> = report.runtime_apis.iter().map(|api| (api.name, api.version)).collect();
    assert_eq!(apis, [(Some("Core"), 5), (Some("Metadata"), 2), (Some("TaggedTransactionQueue"), 3)]);
}

#[test]
fn versions_that_nodes_would_misread_are_refused() {
    for (from, to, says) in [
        (r#""Core": 5"#, r#""Core": 3"#, "`Core` with version 4"),
        (r#""Core": 5, "#, "", "`Core` with version 4"),
        (r#""Metadata": 2"#, r#""Metadata": "2""#, "`Metadata` has no number"),
        ("0xd2bc9897eed08f15", "0xd2bc9897eed08f", "identifier of 8 bytes"),
        ("0xd2bc9897eed08f15", "0xdf6acb689907609b", "listed twice"),
        (r#""Metadata": 2"#, r#""Core": 4"#, "`Core` is listed twice"),
        ("impl_version", "implementation", "unknown field"),
        (r#""spec_version": 7,"#, "", "missing field"),
    ] {
        let error = Version::read(VERSION.replace(from, to).as_bytes()).expect_err(says);
        assert!(matches!(error, AdaptError::Version(_)) && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn stale_sections_go_and_others_stay() {
    let report = heapbase_module::inspect(&adapted(MODULE, &local()).wasm).unwrap();
    let sections: Vec<_> = report.sections.iter().filter_map(|section| section.name.as_deref()).collect();
    assert_eq!(sections, ["kept", "runtime_version", "producers", "name", "heapbase"]);
    let adapted = report.conversion.unwrap().adapted.unwrap();
    assert!(adapted.version.is_none() && adapted.seed != 0);
}

#[test]
fn functions_keep_their_names_where_they_went() {
    let wasm = adapted(MODULE, &local()).wasm;
    let printed = super::host::function_names(&wasm);
    assert!(printed.iter().any(|name| name == "outer"), "{printed:?}");
    assert!(printed.iter().any(|name| name == "heapbase::entry::f"), "{printed:?}");
}

#[test]
fn what_stays_although_nodes_refuse_it_is_warned_of() {
    let text = |body: &str| {
        format!(
            r#"(module (memory 1) (func (export "f") (param i32 i32) (result i64)
                 {body} (i64.extend_i32_s (i32.extend8_s (local.get 0)))))"#
        )
    };
    let warns = |text: &str, bulk_memory: bool, sign_extension: bool| {
        let mut options = local();
        (options.features.bulk_memory, options.features.sign_extension) = (bulk_memory, sign_extension);
        let warnings = adapt(&wat::parse_str(text).unwrap(), &options).unwrap().warnings;
        warnings.iter().any(|warning| warning.contains("nodes as they are refuse"))
    };
    let filling = text("(memory.fill (i32.const 0) (local.get 0) (local.get 1))");
    assert!(!warns(&filling, false, false));
    assert!(warns(&filling, true, false) && warns(&filling, false, true) && warns(&filling, true, true));
    assert!(!warns(&text(""), true, false), "there is no bulk memory in it");
}
