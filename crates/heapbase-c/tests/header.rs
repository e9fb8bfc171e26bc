//! The header is what the sources say. `HEAPBASE_BLESS=1` writes it.

use std::{fs, path::Path};

#[test]
fn the_header_is_what_the_sources_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("the configuration");
    let mut written = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/lib.rs"))
        .generate()
        .expect("the sources are read")
        .write(&mut written);
    let written = String::from_utf8(written).expect("text");
    let path = root.join("include/heapbase.h");
    if std::env::var_os("HEAPBASE_BLESS").is_some() {
        fs::write(&path, &written).expect("the header is written");
    }
    let header = fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(header.lines()).position(|(new, old)| new != old);
    assert!(
        written == header,
        "include/heapbase.h differs from the sources, first in line {}: HEAPBASE_BLESS=1 cargo test -p heapbase-c writes it",
        differs.map_or(written.lines().count().min(header.lines().count()), |line| line) + 1
    );
}
