//! The guest under `sp_state_machine::StateMachine`, as a node runs it, and runtimes within runtimes.

use crate::subjects::{each, subjects};
use codec::{Decode, Encode};
use heapbase_host::{Config, Executor, Hasher};
use sp_core::traits::{CallContext, ReadRuntimeVersion, ReadRuntimeVersionExt, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::{BasicExternalities, InMemoryBackend, OverlayedChanges, StateMachine};
use sp_version::RuntimeVersion;

#[test]
fn the_state_machine_drives_it() {
    each(|subject| {
        let executor: Executor = Executor::new(Config { engine: subject.runtime.engine(), ..Config::default() });
        let backend = InMemoryBackend::<Hasher>::default();
        let mut overlay = OverlayedChanges::default();
        let fetcher = WrappedRuntimeCode((&subject.wasm[..]).into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: Some(256), hash: subject.runtime.hash().to_vec() };
        let mut call = |entry: &str, input: &[u8]| {
            let mut extensions = Default::default();
            let context = CallContext::Onchain { import: false };
            StateMachine::new(&backend, &mut overlay, &executor, entry, input, &mut extensions, &code, context)
                .execute()
                .map_err(|error| error.to_string())
        };
        call("storage_set", &vec![("key", "value")].encode()).expect("it sets");
        // Changes stay in the overlay for the next call.
        assert_eq!(call("storage_get", &"key".encode()).expect("it gets"), Some("value").encode(), "{}", subject.name);
        let error = call("panic_with", &"a message".encode()).expect_err("it panics");
        assert!(error.contains("a message"), "{}: {error}", subject.name);
        assert_eq!(call("echo", &"still".encode()).expect("it echoes"), "still".encode(), "{}", subject.name);
    });
}

fn assert_version(encoded: &[u8], name: &str) {
    let version = RuntimeVersion::decode(&mut &encoded[..]).expect("an encoded version");
    assert_eq!((&*version.spec_name, &*version.impl_name), ("test-guest", "heapbase"), "{name}");
    assert_eq!((version.spec_version, version.transaction_version, version.system_version), (7, 2, 1), "{name}");
    assert_eq!(version.apis.len(), 1, "{name}");
}

#[test]
fn its_version_is_read() {
    each(|subject| {
        let output = subject.raw("Core_version", b"", &Default::default()).output;
        assert_version(&output, &subject.name);
        let executor: Executor = Executor::new(Config { engine: subject.runtime.engine(), ..Config::default() });
        let read = executor.read_runtime_version(&subject.wasm, &mut BasicExternalities::default());
        assert_version(&read.expect("it has a version"), &subject.name);
    });
}

#[test]
fn a_runtime_asks_for_the_version_of_another() {
    let Some(other) = subjects().last() else {
        return;
    };
    each(|subject| {
        let mut ext = BasicExternalities::default();
        let executor: Executor = Executor::new(Config { engine: subject.runtime.engine(), ..Config::default() });
        ext.register_extension(ReadRuntimeVersionExt::new(executor));
        let version: Option<Vec<u8>> = subject.with_ext(&mut ext, "version_of", &other.wasm);
        assert_version(&version.expect("the other has a version"), &subject.name);
        let none: Option<Vec<u8>> = subject.with_ext(&mut ext, "version_of", b"no module".to_vec());
        assert_eq!(none, None, "{}", subject.name);
        let compressed = sp_maybe_compressed_blob::compress_weakly(&other.wasm, 1 << 24).expect("it is small");
        let version: Option<Vec<u8>> = subject.with_ext(&mut ext, "version_of", compressed);
        assert_version(&version.expect("the other has a version"), &subject.name);
    });
}
