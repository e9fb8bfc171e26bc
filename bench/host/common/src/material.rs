//! The material that all contestants run on: the corpus of runtimes and the cases.

use anyhow::{Context, Result, bail};
use sp_crypto_hashing::blake2_256;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The folder with `corpus/` and `cases/`: `../shared` beside the repository, unless `given`.
///
/// # Errors
/// The folder is not there.
pub fn folder(given: Option<&Path>) -> Result<PathBuf> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"),
    };
    if !path.join("corpus").is_dir() || !path.join("cases").is_dir() {
        bail!("{} holds no corpus/ and cases/; name the folder that does with --shared", path.display());
    }
    Ok(path)
}

/// A runtime as it is in the corpus.
pub struct Runtime {
    /// File name up to the first dot.
    pub name: String,
    /// The file: raw Wasm or Substrate's compressed form.
    pub code: Vec<u8>,
    /// BLAKE2-256 of `code`: what a node calls the runtime's hash.
    pub hash: [u8; 32],
}

impl Runtime {
    /// Takes `code` as a state or a file holds it.
    pub fn new(name: String, code: Vec<u8>) -> Self {
        Self { hash: blake2_256(&code), name, code }
    }

    /// Size of the raw module, bytes.
    ///
    /// # Errors
    /// The code is compressed and does not decompress.
    pub fn wasm_bytes(&self) -> Result<usize> {
        sp_maybe_compressed_blob::decompress(&self.code, sp_maybe_compressed_blob::CODE_BLOB_BOMB_LIMIT)
            .map(|raw| raw.len())
            .map_err(|error| anyhow::anyhow!("{}: {error}", self.name))
    }

    /// Reads one file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file.split('.').next().unwrap_or(&file).to_owned();
        let code = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self::new(name, code))
    }
}

/// The `.wasm` files of the corpus, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn corpus_files(shared: &Path) -> Result<Vec<PathBuf>> {
    sorted(&shared.join("corpus"), "wasm")
}

/// The case files, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn case_files(shared: &Path) -> Result<Vec<PathBuf>> {
    sorted(&shared.join("cases"), "json")
}

fn sorted(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Keys and values of one trie.
pub type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

/// A real block and the state it runs on.
#[derive(Clone)]
pub struct Case {
    /// File name without its extension.
    pub name: String,
    /// The entry point.
    pub entry: String,
    /// Its argument: header, then extrinsics.
    pub input: Vec<u8>,
    /// 0 or 1: the layout of the trie.
    pub state_version: u8,
    /// Root of the state before, where the case says it.
    pub parent_state_root: Option<[u8; 32]>,
    /// Root after.
    pub expected_state_root: [u8; 32],
    /// The main trie.
    pub top: Pairs,
    /// Child tries by their key, the `:child_storage:default:` prefix not included.
    pub children: BTreeMap<Vec<u8>, Pairs>,
}

impl Case {
    /// Reads one case file.
    ///
    /// # Errors
    /// The file is not a case; the message names the file and the key.
    pub fn read(path: &Path) -> Result<Self> {
        let parse = || -> Result<Self> {
            let raw: RawCase = serde_json::from_slice(&std::fs::read(path)?)?;
            Ok(Self {
                name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                entry: raw.entry,
                input: bytes(&raw.input).context("input")?,
                state_version: raw.state_version,
                parent_state_root: raw
                    .parent_state_root
                    .as_deref()
                    .map(root)
                    .transpose()
                    .context("parent_state_root")?,
                expected_state_root: root(&raw.expected_state_root).context("expected_state_root")?,
                top: pairs(&raw.top).context("top")?,
                children: raw
                    .children
                    .iter()
                    .map(|(key, inner)| Ok((bytes(key)?, pairs(inner)?)))
                    .collect::<Result<_>>()
                    .context("childrenDefault")?,
            })
        };
        parse().with_context(|| format!("reading the case {}", path.display()))
    }

    /// The runtime in the state.
    ///
    /// # Errors
    /// The state has no `:code`.
    pub fn runtime(&self) -> Result<Runtime> {
        let code = self.top.get(b":code".as_slice()).context("the state has no :code")?;
        Ok(Runtime::new(self.name.clone(), code.clone()))
    }

    /// `:heappages` of the state.
    pub fn heap_pages(&self) -> Option<u64> {
        let value = self.top.get(b":heappages".as_slice())?;
        Some(u64::from_le_bytes(value.as_slice().try_into().ok()?))
    }
}

#[derive(serde::Deserialize)]
struct RawCase {
    entry: String,
    input: String,
    state_version: u8,
    parent_state_root: Option<String>,
    expected_state_root: String,
    top: BTreeMap<String, String>,
    #[serde(rename = "childrenDefault", default)]
    children: BTreeMap<String, BTreeMap<String, String>>,
}

fn bytes(text: &str) -> Result<Vec<u8>> {
    Ok(hex::decode(text.strip_prefix("0x").unwrap_or(text))?)
}

fn root(text: &str) -> Result<[u8; 32]> {
    bytes(text)?.try_into().map_err(|_| anyhow::anyhow!("a root is 32 bytes"))
}

fn pairs(raw: &BTreeMap<String, String>) -> Result<Pairs> {
    raw.iter().map(|(key, value)| Ok((bytes(key)?, bytes(value)?))).collect()
}
