//! Whatever the bytes are, `inspect` answers; and what it says about stock nodes is what their validator says.

mod oracle;

use arbitrary::{Arbitrary, Unstructured};
use heapbase_module::inspect;
use oracle::check;
use proptest::prelude::{ProptestConfig, any, proptest};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use wasm_smith::Config;

/// The smallest runtimes of the corpus, or a built one where there is no corpus: something to damage.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let mut files: Vec<_> =
        fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    files.retain(|path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "wasm"));
    files.sort_by_key(|path| fs::metadata(path).unwrap().len());
    if files.is_empty() {
        println!("SKIPPED: no corpus at ../shared/corpus beside the repository; damaging a small module only");
        assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "HEAPBASE_REQUIRE_ALL forbids skipping");
    }
    let small = include_str!("inspect/v1/plain.wat");
    let unpack = |path: &std::path::PathBuf| heapbase_module::Blob::read(&fs::read(path).unwrap()).unwrap().into_wasm();
    std::iter::once(wat::parse_str(small).unwrap()).chain(files.iter().take(3).map(unpack)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = inspect(&bytes);
        let module = [&b"\0asm\x01\0\0\0"[..], &bytes].concat();
        check(&module, &inspect(&module));
        let compressed = [&[0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05], &bytes[..]].concat();
        let _ = inspect(&compressed);
    }

    #[test]
    fn arbitrary_sections(sections in proptest::collection::vec((0_u8..15, proptest::collection::vec(any::<u8>(), 0..40)), 0..8)) {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        for (id, contents) in sections {
            module.extend([id, contents.len() as u8]);
            module.extend(contents);
        }
        check(&module, &inspect(&module));
    }
}

/// Numbers that look random and are the same every time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn built_modules() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let (mut built, mut plain, mut features) = (0, 0, BTreeSet::new());
    for _ in 0..1500 {
        let length = 256 + numbers.below(4096);
        let seed: Vec<u8> = (0..length).map(|_| numbers.below(256) as u8).collect();
        let mut bytes = Unstructured::new(&seed);
        let Ok(config) = Config::arbitrary(&mut bytes) else {
            continue;
        };
        let Ok(module) = wasm_smith::Module::new(config, &mut bytes) else {
            continue;
        };
        let module = module.to_bytes();
        let report = inspect(&module).expect("wasm-smith builds modules that can be read");
        for problem in &report.problems {
            assert!(!matches!(problem.code(), "invalid" | "refused-encoding"), "{problem:?}");
        }
        built += 1;
        plain += usize::from(report.features.iter().all(|used| used.stock_nodes));
        features.extend(report.features.iter().map(|used| used.name));
        check(&module, &Ok(report));
    }
    println!("{built} modules, {plain} of them plain, {} features: {features:?}", features.len());
    assert!(built > 1000 && plain > 20 && features.len() >= 15);
}

#[test]
fn damaged_runtimes() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for seed in seeds() {
        for round in 0..24 {
            let mut wasm = seed.clone();
            match round % 3 {
                0 => wasm.truncate(8 + numbers.below(seed.len() - 8)),
                1 => (0..8).for_each(|_| {
                    let at = 8 + numbers.below(seed.len() - 8);
                    wasm[at] ^= 1 << numbers.below(8);
                }),
                // Lengths and counts stand at the front.
                _ => {
                    let at = 8 + numbers.below(64.min(seed.len() - 8));
                    wasm[at] = numbers.below(256) as u8;
                }
            }
            check(&wasm, &inspect(&wasm));
        }
    }
}
