//! Writes the metadata that every ledger embeds, `runtimes/ledger/metadata-v*.scale`, and the compact integers that every
//! language's kit is tested with, `runtimes/ledger/compact.txt`.

use anyhow::{Context, Result};
use ledger_agreement::{languages, metadata, vectors};
use std::path::Path;

fn main() -> Result<()> {
    for version in metadata::VERSIONS {
        write(&languages::metadata_file(version), &metadata::encoded(version))?;
    }
    write(&languages::compact_file(), vectors::compact().as_bytes())
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| file.display().to_string())?;
    println!("{:6} bytes  {}", bytes.len(), file.display());
    Ok(())
}
