//! The state that calls run on: a trie in memory, loaded from raw chain specifications and cases.

use std::{borrow::Cow, collections::BTreeMap};

use codec::Decode;
use serde::Deserialize;
use sp_core::{
    H256,
    storage::{ChildInfo, StateVersion, Storage, StorageChild, well_known_keys},
};
use sp_state_machine::{Backend, BackendTransaction, InMemoryBackend};

/// Hashing of state tries: all known chains use BLAKE2b with 256 bits.
pub type Hasher = sp_core::Blake2Hasher;

/// Bytes of stack for computing a root.
const DEEP: usize = 1 << 30;

/// Computes a root on a stack that is deep enough for any trie that fits [`Limits::host_bytes`](crate::Limits::host_bytes).
///
/// Building a trie recurses as deep as keys are nested in one another, some 2 KB of stack for each level. The stack is
/// reserved, not used.
pub(crate) fn deep<R>(compute: impl FnOnce() -> R) -> R {
    stacker::grow(DEEP, compute)
}

/// Why a state or case could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Not JSON, or JSON of another shape.
    #[error("not a state: {0}; a raw chain specification, a case or {{\"top\":{{}},\"childrenDefault\":{{}}}} is")]
    Shape(serde_json::Error),
    /// The specification is not a raw one.
    #[error("the chain specification is not raw: it has `genesis.{0}` instead of `genesis.raw`; build one with --raw")]
    NotRaw(String),
    /// A key or value is not hexadecimal.
    #[error("`{what}` is not hexadecimal: {reason}")]
    Hex {
        /// Which text.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The state version is neither 0 nor 1.
    #[error("state version {0} is unknown: 0 and 1 are")]
    Version(u8),
    /// The state after loading has another root than the file says.
    #[error(
        "the state's root is {found}, but `parent_state_root` says {expected}: the file is incomplete or was changed"
    )]
    Root {
        /// Root of the loaded state.
        found: String,
        /// `parent_state_root`.
        expected: String,
    },
    /// A key or child trie is there twice, written in different ways.
    #[error("`{0}` is there twice, with and without its prefix or in upper and lower case: which one counts?")]
    Twice(String),
    /// The file lacks something that a state or a case needs.
    #[error("the file has no `{0}`")]
    Missing(&'static str),
}

impl From<serde_json::Error> for StateError {
    fn from(error: serde_json::Error) -> Self {
        StateError::Shape(error)
    }
}

/// A state in memory.
///
/// Calls read it and never change it: what they changed is theirs until [`State::commit`] applies it.
///
/// ```
/// use heapbase_host::State;
///
/// let state = State::from_json(br#"{"top": {"0x01": "0x02"}, "childrenDefault": {}}"#)?;
/// assert_eq!(state.get(&[1]), Some(vec![2]));
/// assert_ne!(state.root(), State::default().root());
/// # Ok::<(), heapbase_host::StateError>(())
/// ```
#[derive(Clone)]
pub struct State {
    pub(crate) backend: InMemoryBackend<Hasher>,
    pub(crate) version: StateVersion,
}

impl Default for State {
    fn default() -> Self {
        State::new(Storage::default(), StateVersion::V1)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("root", &self.root()).field("version", &self.version).finish_non_exhaustive()
    }
}

impl State {
    /// A state from storage, with its trie laid out by `version`.
    pub fn new(storage: Storage, version: StateVersion) -> Self {
        State { backend: deep(|| InMemoryBackend::from((storage, version))), version }
    }

    /// Reads a raw chain specification, a case, or `{"top": {}, "childrenDefault": {}}` with hexadecimal keys and values.
    ///
    /// # Errors
    ///
    /// [`StateError`]: other JSON, a specification that is not raw, text that is not hexadecimal, and a state whose root
    /// differs from the file's `parent_state_root`.
    pub fn from_json(json: &[u8]) -> Result<Self, StateError> {
        let file = StateFile::parse(json)?;
        let state = file.state()?;
        match file.parent_root()? {
            Some(expected) if expected != state.root() => {
                Err(StateError::Root { found: format!("{:?}", state.root()), expected: format!("{expected:?}") })
            }
            _ => Ok(state),
        }
    }

    /// The root of the trie.
    pub fn root(&self) -> H256 {
        *self.backend.root()
    }

    /// The layout of the trie.
    pub fn version(&self) -> StateVersion {
        self.version
    }

    /// The value of a key in the top trie.
    pub fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.backend.storage(key).ok().flatten()
    }

    /// The runtime under `:code`, as it is stored: raw or compressed.
    pub fn code(&self) -> Option<Vec<u8>> {
        self.get(well_known_keys::CODE)
    }

    /// The number of heap pages under `:heappages`.
    pub fn heap_pages(&self) -> Option<u64> {
        u64::decode(&mut self.get(well_known_keys::HEAP_PAGES)?.as_slice()).ok()
    }

    /// Sets the value of a key in the top trie.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) {
        deep(|| self.backend.insert([(None, vec![(key.to_vec(), Some(value.to_vec()))])], self.version));
    }

    /// Applies what a call changed.
    pub fn commit(&mut self, changes: Changes) {
        self.backend.apply_transaction(changes.root, changes.transaction);
    }
}

/// What a call changed of the state, ready to be committed.
pub struct Changes {
    pub(crate) root: H256,
    pub(crate) transaction: BackendTransaction<Hasher>,
}

impl Changes {
    /// The root of the state with these changes.
    pub fn root(&self) -> H256 {
        self.root
    }
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes").field("root", &self.root).finish_non_exhaustive()
    }
}

type Map<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// A file with a state in it, parsed but not yet decoded.
#[derive(Deserialize, Default)]
#[serde(bound(deserialize = "'de: 'a"))]
struct StateFile<'a> {
    #[serde(borrow, default)]
    top: Option<Map<'a>>,
    #[serde(borrow, default, rename = "childrenDefault")]
    children: BTreeMap<Cow<'a, str>, Map<'a>>,
    #[serde(borrow, default)]
    genesis: Option<BTreeMap<Cow<'a, str>, &'a serde_json::value::RawValue>>,
    #[serde(default)]
    state_version: Option<u8>,
    #[serde(borrow, default)]
    parent_state_root: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    entry: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    input: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    expected_state_root: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawGenesis<'a> {
    #[serde(borrow)]
    top: Map<'a>,
    #[serde(borrow, default, rename = "childrenDefault")]
    children: BTreeMap<Cow<'a, str>, Map<'a>>,
}

impl<'a> StateFile<'a> {
    fn parse(json: &'a [u8]) -> Result<Self, StateError> {
        // A derived reader would also take a list of the fields in order.
        if json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(StateError::Shape(serde::de::Error::custom("it does not begin with an object")));
        }
        let mut file: StateFile<'a> = serde_json::from_slice(json)?;
        if let (None, Some(genesis)) = (&file.top, file.genesis.take()) {
            let raw = match genesis.get("raw") {
                Some(raw) => raw,
                None => {
                    let found = genesis.keys().next().map_or_else(|| "nothing".to_owned(), |key| key.to_string());
                    return Err(StateError::NotRaw(found));
                }
            };
            let raw: RawGenesis<'a> = serde_json::from_str(raw.get())?;
            file.top = Some(raw.top);
            file.children = raw.children;
        }
        Ok(file)
    }

    fn version(&self) -> Result<StateVersion, StateError> {
        match self.state_version {
            // A specification does not say; its genesis block's state was built by the runtime's own version, and the
            // chains that publish specifications began with 0.
            None | Some(0) => Ok(StateVersion::V0),
            Some(1) => Ok(StateVersion::V1),
            Some(other) => Err(StateError::Version(other)),
        }
    }

    /// The state, whatever its root.
    fn state(&self) -> Result<State, StateError> {
        let mut storage = Storage::default();
        for (key, value) in self.top.as_ref().ok_or(StateError::Missing("top"))? {
            insert(&mut storage.top, key, value)?;
        }
        for (key, child) in &self.children {
            let key_bytes = bytes(key, key)?;
            // Specifications name a child with or without the prefix under which its root is stored.
            let unprefixed = key_bytes.strip_prefix(well_known_keys::DEFAULT_CHILD_STORAGE_KEY_PREFIX);
            let unprefixed = unprefixed.map_or_else(|| key_bytes.clone(), <[u8]>::to_vec);
            let mut data = BTreeMap::new();
            for (key, value) in child {
                insert(&mut data, key, value)?;
            }
            let info = ChildInfo::new_default(&unprefixed);
            if storage.children_default.insert(unprefixed, StorageChild { data, child_info: info }).is_some() {
                return Err(twice(key));
            }
        }
        Ok(State::new(storage, self.version()?))
    }

    fn parent_root(&self) -> Result<Option<H256>, StateError> {
        self.parent_state_root.as_ref().map(|root| hash(root, "parent_state_root")).transpose()
    }
}

/// One real block and the state it runs on.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is, in words.
    pub name: String,
    /// The entry point, as a rule `Core_execute_block`.
    pub entry: String,
    /// The SCALE-encoded argument.
    pub input: Vec<u8>,
    /// The root that the state must have before the call, where it is known. Reading a case does not check it: a block
    /// on a changed state is for the runtime to refuse.
    pub parent_state_root: Option<H256>,
    /// The root that the state must have after the call.
    pub expected_state_root: Option<H256>,
    /// The state before the call, where the file has it.
    pub state: Option<State>,
}

impl Case {
    /// Reads a case. Without `top` in the file, the state has to come from elsewhere.
    ///
    /// # Errors
    ///
    /// [`StateError`], also where `entry` or `input` are missing.
    pub fn from_json(json: &[u8]) -> Result<Self, StateError> {
        let file = StateFile::parse(json)?;
        let input = file.input.as_ref().ok_or(StateError::Missing("input"))?;
        Ok(Case {
            name: file.name.as_deref().unwrap_or_default().to_owned(),
            entry: file.entry.as_deref().ok_or(StateError::Missing("entry"))?.to_owned(),
            input: bytes(input, "input")?,
            parent_state_root: file.parent_root()?,
            expected_state_root: file
                .expected_state_root
                .as_ref()
                .map(|root| hash(root, "expected_state_root"))
                .transpose()?,
            state: if file.top.is_some() { Some(file.state()?) } else { None },
        })
    }
}

/// Inserts a key that must not be there yet.
fn insert(map: &mut BTreeMap<Vec<u8>, Vec<u8>>, key: &str, value: &str) -> Result<(), StateError> {
    match map.insert(bytes(key, key)?, bytes(value, key)?) {
        Some(_) => Err(twice(key)),
        None => Ok(()),
    }
}

fn twice(key: &str) -> StateError {
    StateError::Twice(key.chars().take(80).collect())
}

fn bytes(text: &str, what: &str) -> Result<Vec<u8>, StateError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits)
        .map_err(|error| StateError::Hex { what: what.chars().take(80).collect(), reason: error.to_string() })
}

fn hash(text: &str, what: &str) -> Result<H256, StateError> {
    let bytes = bytes(text, what)?;
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| StateError::Hex {
        what: what.to_owned(),
        reason: format!("it has {} bytes, a root has 32", bytes.len()),
    })?;
    Ok(H256(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_shape() {
        let plain = State::from_json(br#"{"top":{"0x61":"0x62"},"childrenDefault":{}}"#).expect("a state");
        let spec =
            State::from_json(br#"{"name":"x","id":"y","genesis":{"raw":{"top":{"0x61":"0x62"}}}}"#).expect("a spec");
        assert_eq!(plain.root(), spec.root());
        let case = Case::from_json(
            br#"{"name":"n","entry":"E","input":"0x0102","state_version":1,"top":{"0x61":"0x62"},"childrenDefault":{"0x63":{"0x64":"0x65"}}}"#,
        )
        .expect("a case");
        assert_eq!(case.input, [1, 2]);
        assert_ne!(case.state.expect("a state").root(), plain.root());
    }

    #[test]
    fn refuses_with_the_place() {
        let message = |json: &[u8]| State::from_json(json).expect_err("refused").to_string();
        assert!(message(b"[]").contains("not a state"));
        assert!(message(br#"{"genesis":{"runtimeGenesis":{}}}"#).contains("not raw"));
        assert!(message(br#"{"top":{"0x6":"0x"}}"#).contains("0x6"));
        assert!(message(br#"{"top":{},"state_version":7}"#).contains('7'));
        assert!(message(br#"{"top":{},"parent_state_root":"0x00"}"#).contains("32"));
        let zeros = "0".repeat(64);
        let wrong = format!(r#"{{"top":{{}},"parent_state_root":"{zeros}"}}"#);
        assert!(message(wrong.as_bytes()).contains("parent_state_root"));
        assert!(message(br#"{}"#).contains("top"));
        assert!(message(br#"{"top":{"0xab":"0x01","AB":"0x02"}}"#).contains("twice"));
        assert!(message(br#"{"top":{},"childrenDefault":{"0x63":{"0xab":"0x","ab":"0x"}}}"#).contains("ab"));
        let prefixed = "0x3a6368696c645f73746f726167653a64656661756c743a63";
        let both = format!(r#"{{"top":{{}},"childrenDefault":{{"{prefixed}":{{}},"0x63":{{}}}}}}"#);
        assert!(message(both.as_bytes()).contains("twice"));
    }
}
