//! Compiled code on disk.
//!
//! One file per runtime, engine and set of options: `<hash of the module>-<fingerprint>.cwasm`. It is what the engine
//! serialised, followed by 40 bytes: how far code moved (8), a checksum of everything before it (16), the length of
//! everything before the checksum (8) and a magic (8). A file that does not fit all of that is compiled again and replaced.
//!
//! Writers never touch a file that others read: each writes a temporary file of its own and renames it. Whoever can write to
//! the folder can make the process execute code, as with any cache of compiled code: it belongs to the user alone.

use std::{
    fs::{self, File},
    hash::{Hash, Hasher},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use sp_wasm_interface::wasmtime;
use twox_hash::{XxHash3_128, XxHash64};

use crate::config::Config;

const MAGIC: [u8; 8] = *b"heapbas1";
const TRAILER: usize = 8 + 16 + 8 + 8;

/// Raised whenever `prepare` hands another module to the engine for the same input.
const PREPARE_VERSION: u32 = 1;

/// The file for one module under one engine.
pub(crate) fn file(folder: &Path, module_hash: &[u8; 32], engine: &wasmtime::Engine, config: &Config) -> PathBuf {
    let mut hasher = XxHash64::with_seed(0);
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    PREPARE_VERSION.hash(&mut hasher);
    config.features.hash(&mut hasher);
    config.limits.fuel.is_some().hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    folder.join(format!("{}-{:016x}.cwasm", hex::encode(module_hash), hasher.finish()))
}

/// A file of the cache that has been read and found whole.
pub(crate) struct Entry {
    pub(crate) file: File,
    pub(crate) code_shift: i64,
}

/// Whether nobody but this user can have written what `metadata` is of.
fn is_own(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

/// Opens an entry and checks that it is whole and this user's own.
pub(crate) fn open(path: &Path) -> Option<Entry> {
    let entry = || -> io::Result<Option<Entry>> {
        // A pipe in place of the file must not be waited for.
        let mut file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let folder = fs::metadata(path.parent().unwrap_or(Path::new(".")))?;
        if !file.metadata()?.is_file() || !is_own(&file.metadata()?) || !is_own(&folder) {
            log::warn!("{} is not used: others than this user can write to it or its folder", path.display());
            return Ok(None);
        }
        let mut hasher = XxHash3_128::new();
        let mut trailer = Vec::new();
        let mut length = file.metadata()?.len();
        let Some(body) = length.checked_sub(TRAILER as u64) else {
            return Ok(None);
        };
        let mut buffer = vec![0; 1 << 18];
        // The checksum covers the body and how far code moved.
        let mut covered = body + 8;
        while length > 0 {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(None);
            }
            length = length.saturating_sub(read as u64);
            let inside = covered.min(read as u64) as usize;
            hasher.write(&buffer[..inside]);
            covered -= inside as u64;
            trailer.extend_from_slice(&buffer[..read]);
            let keep = trailer.len().saturating_sub(TRAILER);
            trailer.drain(..keep);
        }
        let part = |range: std::ops::Range<usize>| trailer.get(range).unwrap_or_default().to_vec();
        let whole = part(32..40) == MAGIC
            && part(24..32) == (body + 8).to_le_bytes()
            && part(8..24) == hasher.finish_128().to_le_bytes();
        let Some(shift) = trailer.first_chunk::<8>() else {
            return Ok(None);
        };
        Ok(whole.then(|| Entry { file, code_shift: i64::from_le_bytes(*shift) }))
    };
    match entry() {
        Ok(Some(entry)) => Some(entry),
        Ok(None) => {
            log::info!("{} is damaged or foreign and will be replaced", path.display());
            None
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            log::info!("{} cannot be read and will be replaced: {error}", path.display());
            None
        }
    }
}

/// Writes an entry. A cache that cannot be written costs time, not the call: the error is for a log.
pub(crate) fn store(path: &Path, code: &[u8], code_shift: i64) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private(folder)?;
    let mut file = tempfile::Builder::new().prefix(".heapbase-").tempfile_in(folder)?;
    let mut hasher = XxHash3_128::new();
    hasher.write(code);
    hasher.write(&code_shift.to_le_bytes());
    file.write_all(code)?;
    file.write_all(&code_shift.to_le_bytes())?;
    file.write_all(&hasher.finish_128().to_le_bytes())?;
    file.write_all(&(code.len() as u64 + 8).to_le_bytes())?;
    file.write_all(&MAGIC)?;
    file.flush()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Makes the folder, readable by its owner alone.
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_found_and_damage_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep").join("entry.cwasm");
        assert!(open(&path).is_none());
        let code: Vec<u8> = (0..1_000_000u32).map(|byte| byte as u8).collect();
        store(&path, &code, -77).expect("the folder can be written");
        assert_eq!(open(&path).expect("the entry is whole").code_shift, -77);

        let whole = fs::read(&path).expect("the entry can be read");
        for at in [0, 500_000, whole.len() - 1, whole.len() - 9, whole.len() - 20, whole.len() - 35] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).expect("the entry can be written");
            assert!(open(&path).is_none(), "byte {at} changed unnoticed");
        }
        for len in [0, 10, TRAILER, whole.len() - 1] {
            fs::write(&path, &whole[..len]).expect("the entry can be written");
            assert!(open(&path).is_none(), "cut to {len} bytes unnoticed");
        }
    }

    #[test]
    fn concurrent_writers_leave_a_whole_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("entry.cwasm");
        std::thread::scope(|scope| {
            for writer in 0..4u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        store(path, &vec![writer; 100_000], i64::from(writer)).expect("the folder can be written");
                        assert!(open(path).is_some());
                    }
                });
            }
        });
    }
}
