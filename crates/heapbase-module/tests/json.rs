//! The JSON, whole: programs read it, so a change of shape has to be seen.

use heapbase_module::inspect;

fn json(wat: &str) -> String {
    let report = inspect(&wat::parse_str(wat).unwrap()).unwrap();
    serde_json::to_string_pretty(&report).unwrap()
}

#[test]
fn of_a_module_with_a_version() {
    insta::assert_snapshot!(json(include_str!("inspect/any/version.wat")));
}

#[test]
fn of_a_module_that_mixes_allocators() {
    insta::assert_snapshot!(json(include_str!("inspect/v1/mixed-malloc.wat")));
}

#[test]
fn of_a_module_with_a_refused_feature() {
    insta::assert_snapshot!(json(include_str!("inspect/features/bulk-memory.wat")));
}
