//! Writes the metadata that every ledger embeds: `runtimes/ledger/metadata-v*.scale`.

use anyhow::{Context, Result};
use ledger_agreement::{languages, metadata};

fn main() -> Result<()> {
    for version in metadata::VERSIONS {
        let file = languages::metadata_file(version);
        let bytes = metadata::encoded(version);
        std::fs::write(&file, &bytes).with_context(|| file.display().to_string())?;
        println!("{:6} bytes  {}", bytes.len(), file.display());
    }
    Ok(())
}
