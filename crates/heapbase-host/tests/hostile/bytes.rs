//! Bytes that are no module, or that are cut, compressed or very large.

use crate::{
    Outcome, call, config,
    parts::{LEGACY, V1},
};
use heapbase_host::{Engine, Error, Runtime};

/// The magic of Substrate's compressed form.
const MAGIC: [u8; 8] = [0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05];

fn compressed(wasm: &[u8]) -> Vec<u8> {
    sp_maybe_compressed_blob::compress_weakly(wasm, 64 << 20).expect("it is small enough to compress")
}

fn refusal(engine: Engine, code: &[u8]) -> Error {
    match Runtime::new(code, &config(engine)) {
        Ok(_) => panic!("{engine} loads {} bytes that begin with {:02x?}", code.len(), &code[..code.len().min(16)]),
        Err(error) => error,
    }
}

#[test]
fn what_is_no_module() {
    for engine in Engine::ALL {
        for code in [&b""[..], b"\0", b"\0asm", b"#!/bin/sh\necho hello\n", b"\x7fELF\x02\x01\x01\0", &[0xff; 100]] {
            let error = refusal(engine, code);
            assert!(matches!(error, Error::NotWasm { .. }), "{engine}: {error:?}");
        }
        // Another version, and a component.
        for code in [b"\0asm\x02\0\0\0", b"\0asm\x0d\0\x01\0"] {
            let error = refusal(engine, code);
            assert!(matches!(error, Error::NotWasm { .. } | Error::Invalid { .. }), "{engine}: {error:?}");
        }
        let error = refusal(engine, b"\0asm\x01\0\0\0");
        assert!(matches!(error, Error::MissingExport { name: "__heap_base", .. }), "an empty module: {error:?}");
    }
}

/// The end of what a module needs: only custom sections follow.
fn end_of_code(wasm: &[u8]) -> u64 {
    let sections = wasmparser::Parser::new(0).parse_all(wasm).map(|payload| payload.expect("a module without flaw"));
    let sections = sections.filter(|payload| !matches!(payload, wasmparser::Payload::CustomSection(_)));
    sections.filter_map(|payload| Some(payload.as_section()?.1.end)).max().expect("it has sections")
}

#[test]
fn a_module_cut_at_every_byte() {
    for wasm in [V1, LEGACY].iter().flat_map(|wat| wat.binaries()) {
        let needed = end_of_code(&wasm) as usize;
        for engine in Engine::ALL {
            for end in 0..wasm.len() {
                // Between two sections a cut may leave a valid module, which lacks what came after.
                if let Ok(runtime) = Runtime::new(&wasm[..end], &config(engine)) {
                    match call(&runtime, b"input") {
                        Outcome::Refused(_) => {}
                        Outcome::Returned(bytes) if end >= needed && bytes == b"input" => {}
                        outcome => panic!("{engine}, {end} of {needed} bytes: {outcome:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn a_module_with_any_byte_changed() {
    for wasm in [V1, LEGACY].iter().flat_map(|wat| wat.binaries()) {
        for at in 0..wasm.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut wasm = wasm.clone();
                wasm[at] ^= change;
                let outcomes = Engine::ALL.map(|engine| {
                    let mut config = config(engine);
                    config.limits.fuel = Some(100_000);
                    match Runtime::new(&wasm, &config) {
                        Ok(runtime) => call(&runtime, b"input"),
                        Err(error) => Outcome::Refused(error),
                    }
                });
                let same = match &outcomes {
                    [Outcome::Refused(one), Outcome::Refused(two)] => {
                        std::mem::discriminant(one) == std::mem::discriminant(two)
                    }
                    [Outcome::Failed(_), Outcome::Failed(_)] => true,
                    [Outcome::Returned(one), Outcome::Returned(two)] => one == two,
                    _ => false,
                };
                assert!(same, "byte {at} ^ {change:#x}: {outcomes:#?}");
            }
        }
    }
}

#[test]
fn compressed_forms() {
    let wasm = V1.binaries().remove(0);
    let good = compressed(&wasm);
    assert!(good.starts_with(&MAGIC));
    for engine in Engine::ALL {
        let runtime = Runtime::new(&good, &config(engine)).expect("compressed as runtimes are");
        assert!(matches!(call(&runtime, b"input"), Outcome::Returned(bytes) if bytes == b"input"));

        for end in 0..good.len() {
            let error = refusal(engine, &good[..end]);
            assert!(
                matches!(error, Error::Decompress { .. } | Error::NotWasm { .. } | Error::Invalid { .. }),
                "{end}: {error:?}"
            );
        }
        let mut garbage = MAGIC.to_vec();
        garbage.extend([0xa5; 1000]);
        assert!(matches!(refusal(engine, &garbage), Error::Decompress { .. }));
        // Compressed twice: what comes out is no module.
        let error = refusal(engine, &compressed(&good));
        assert!(matches!(error, Error::NotWasm { .. }), "{error:?}");
    }
}

#[test]
fn a_compressed_bomb() {
    let bomb = compressed(&vec![0; 60 << 20]);
    assert!(bomb.len() < 10_000, "{} bytes become 60 MiB", bomb.len());
    for engine in Engine::ALL {
        match refusal(engine, &bomb) {
            Error::Decompress { limit, reason } => {
                assert_eq!(limit, config(engine).limits.decompressed_bytes);
                assert!(reason.contains("limit"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
        let mut small = config(engine);
        small.limits.decompressed_bytes = 100;
        let error = Runtime::new(&compressed(&V1.binaries()[0]), &small).expect_err("it is larger than 100 bytes");
        assert!(matches!(error, Error::Decompress { limit: 100, .. }), "{error:?}");
    }
}

#[test]
fn a_module_past_the_limit() {
    let mut wasm = V1.binaries().remove(0);
    // A custom section of one MiB.
    wasm.extend([0, 0x80, 0x80, 0x40]);
    wasm.extend(std::iter::once(4).chain(*b"pads").chain(std::iter::repeat_n(0, (1 << 20) - 5)));
    for engine in Engine::ALL {
        assert!(Runtime::new(&wasm, &config(engine)).is_ok());
        let mut small = config(engine);
        small.limits.module_bytes = 1 << 20;
        let error = Runtime::new(&wasm, &small).expect_err("it is larger than the limit");
        assert!(matches!(error, Error::ModuleTooLarge { limit: 0x10_0000, size } if size == wasm.len()), "{error:?}");
    }
}

#[test]
fn custom_sections_of_rubbish() {
    let with_section = |name: &str, content: &[u8]| {
        let mut wasm = V1.binaries().remove(0);
        wasm.extend([0, (1 + name.len() + content.len()) as u8, name.len() as u8]);
        wasm.extend(name.as_bytes());
        wasm.extend(content);
        wasm
    };
    for engine in Engine::ALL {
        for content in [&[][..], &[0xff; 8], &[1, 0x7f], &[1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], &[0; 60]] {
            for name in ["name", "producers", "target_features", "linking", "heapbase", ""] {
                let runtime = Runtime::new(&with_section(name, content), &config(engine)).expect("names mean nothing");
                assert!(matches!(call(&runtime, b"input"), Outcome::Returned(bytes) if bytes == b"input"), "{name}");
            }
        }
        let runtime =
            Runtime::new(&with_section("runtime_version", &[0xff; 3]), &config(engine)).expect("it can be called");
        assert!(matches!(runtime.embedded_version(), Some(Err(reason)) if reason.contains("runtime_version")));
    }
}
