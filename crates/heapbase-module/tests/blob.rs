//! What may be given as a runtime, and what is said to everything else.

use heapbase_module::blob::{COMPRESSED_MAGIC, DEFAULT_LIMIT, Found, JsonShape, Layer, Source, WASM_MAGIC};
use heapbase_module::{Blake2_256, Blob, Error, inspect};

fn module() -> Vec<u8> {
    wat::parse_str(r#"(module (memory (export "memory") 17) (global (export "__heap_base") i32 (i32.const 8)))"#)
        .unwrap()
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    sp_maybe_compressed_blob::compress_weakly(bytes, DEFAULT_LIMIT).unwrap()
}

fn found(bytes: &[u8]) -> (Layer, Found) {
    match Blob::read(bytes) {
        Err(Error::NotARuntime { layer, found }) => (layer, found),
        other => panic!("expected NotARuntime, got {other:?}"),
    }
}

#[test]
fn raw_module_is_borrowed() {
    let wasm = module();
    let blob = Blob::read(&wasm).unwrap();
    assert_eq!((blob.wasm(), blob.stored(), blob.source()), (&wasm[..], &wasm[..], Source::File));
    assert_eq!((blob.is_compressed(), blob.blake2_256_compressed()), (false, None));
    assert_eq!(blob.wasm().as_ptr(), wasm.as_ptr(), "no copy");
}

#[test]
fn compressed_module_has_two_hashes() {
    let (wasm, stored) = (module(), compressed(&module()));
    let blob = Blob::read(&stored).unwrap();
    assert_eq!((blob.wasm(), blob.stored()), (&wasm[..], &stored[..]));
    let report = inspect(&stored).unwrap();
    assert_eq!(report.blake2_256, Blake2_256::of(&wasm));
    assert_eq!(report.blake2_256_compressed, Some(Blake2_256::of(&stored)));
    assert_eq!((report.size, report.size_compressed), (wasm.len() as u64, Some(stored.len() as u64)));
    assert_eq!(blob.into_wasm(), wasm);
}

#[test]
fn code_is_taken_from_json_in_every_shape() {
    let stored = compressed(&module());
    let code = hex::encode(&stored);
    let top = format!(r#"{{"0x00": "0x11", "0x3A636F6465": "0x{code}", "0x3a6865617070616765": "0x08"}}"#);
    let shapes = [
        (format!(r#"{{"top": {top}, "childrenDefault": {{}}}}"#), Source::Storage),
        (format!("\u{feff}\n {{\"name\": \"case\", \"input\": \"0x\", \"top\": {top}}}"), Source::Storage),
        (format!(r#"{{"name": "chain", "genesis": {{"raw": {{"top": {top}}}}}}}"#), Source::RawChainSpec),
        (
            format!(r#"{{"genesis": {{"runtimeGenesis": {{"code": "0x{code}", "patch": {{}}}}}}}}"#),
            Source::PlainChainSpec,
        ),
    ];
    for (json, source) in shapes {
        let blob = Blob::read(json.as_bytes()).unwrap();
        assert_eq!((blob.source(), blob.stored(), blob.wasm()), (source, &stored[..], &module()[..]));
    }
}

#[test]
fn json_without_code_is_told_by_its_shape() {
    let shapes = [
        (r#"{"top": {"0x00": "0x"}}"#, JsonShape::Storage, "the JSON storage holds no runtime: its `top` has no key"),
        (r#"{"genesis": {"raw": {"top": {}}}}"#, JsonShape::RawChainSpec, "its `genesis.raw.top` has no key"),
        (r#"{"genesis": {"runtime": {}}}"#, JsonShape::PlainChainSpec, "make it raw first"),
        (r#"{"top": null}"#, JsonShape::Other, "neither"),
        ("{}", JsonShape::Other, "neither"),
    ];
    for (json, expected, words) in shapes {
        let error = Blob::read(json.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::NoCode { shape } if shape == expected), "{json}: {error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn broken_json_is_told_with_its_place() {
    for (json, words) in [
        (r#"{"top": {"0x3a636f6465": "0x00""#, "EOF while parsing an object at line 1"),
        (r#"{"top": {"0x3a636f6465": 7}}"#, "invalid type: integer `7`, expected a string at line 1 column 26"),
        (r#"{"top": []}"#, "expected a map from storage keys to values"),
        (r#"{"top": {"0x3a636f6465": "0x", "0x3A636f6465": "0x"}}"#, "two values for `:code`"),
        (r#"{"top": {}, "top": {}}"#, "duplicate field `top`"),
    ] {
        match Blob::read(json.as_bytes()) {
            Err(Error::Json(error)) => {
                assert!(error.to_string().contains(words), "{json}: {error}")
            }
            other => panic!("{json}: {other:?}"),
        }
    }
    for digits in ["0x0", "0xzz", "zz"] {
        let json = format!(r#"{{"top": {{"0x3a636f6465": "{digits}"}}}}"#);
        assert!(matches!(Blob::read(json.as_bytes()), Err(Error::Hex(_))), "{digits}");
    }
    let json = r#"{"top": {"0x3a636f6465": "0xdeadbeef"}}"#;
    assert_eq!(found(json.as_bytes()), (Layer::Code, Found::Other(vec![0xde, 0xad, 0xbe, 0xef])));
}

#[test]
fn bomb_is_not_unpacked() {
    let stored = compressed(&vec![0; DEFAULT_LIMIT]);
    assert!(stored.len() < 10_000);
    match Blob::read_bounded(&stored, DEFAULT_LIMIT - 1) {
        Err(Error::Bomb { layer: Layer::File, stored: size, limit }) => {
            assert_eq!((size, limit), (stored.len(), DEFAULT_LIMIT - 1));
        }
        other => panic!("{other:?}"),
    }
    // Exactly at the limit it is unpacked, and then is no module.
    assert_eq!(found(&stored), (Layer::Decompressed, Found::Other(vec![0; 8])));
    // The largest limit there is does not overflow.
    assert!(Blob::read_bounded(&compressed(&module()), usize::MAX).is_ok());
}

#[test]
fn damaged_stream_is_told_at_every_length() {
    let stored = compressed(&module());
    for length in COMPRESSED_MAGIC.len() + 1..stored.len() {
        let error = Blob::read(&stored[..length]).unwrap_err();
        assert!(
            matches!(error, Error::Corrupt { layer: Layer::File, stored } if stored == length),
            "{length}: {error:?}"
        );
    }
    let trailing = [&stored[..], b"garbage"].concat();
    assert!(matches!(Blob::read(&trailing), Err(Error::Corrupt { .. })));
}

#[test]
fn everything_else_is_named() {
    let component = [&b"\0asm"[..], &[0x0d, 0, 1, 0]].concat();
    let cases: [(&[u8], Found); 17] = [
        (b"", Found::Empty),
        (b"\0as", Found::TruncatedHeader),
        (b"\0asm", Found::TruncatedHeader),
        (b"\0asm\x01\0\0", Found::TruncatedHeader),
        (&COMPRESSED_MAGIC[..5], Found::TruncatedHeader),
        (b"\0asm\x02\0\0\0", Found::WasmVersion(2)),
        (&component, Found::Component),
        (b"PVM\0\x01", Found::PolkaVm),
        (&[0x28, 0xb5, 0x2f, 0xfd, 0], Found::BareZstd),
        (&[0x1f, 0x8b, 8], Found::Gzip),
        (b"\x7fELF\x02", Found::NativeBinary),
        (b"  (module)", Found::WasmText),
        (b";; text\n(module)", Found::WasmText),
        (b"0x0061736d01000000\n", Found::HexText),
        (b"52bc537646db8e05", Found::HexText),
        (b"[1, 2]", Found::Other(b"[1, 2]".to_vec())),
        (b"hello world", Found::Other(b"hello wo".to_vec())),
    ];
    for (bytes, expected) in cases {
        assert_eq!(found(bytes), (Layer::File, expected));
    }
    let twice = compressed(&compressed(&module()));
    assert_eq!(found(&twice), (Layer::Decompressed, Found::CompressedTwice));
    assert_eq!(found(&compressed(b"")), (Layer::Decompressed, Found::Empty));
    assert!(Blob::read(&WASM_MAGIC).is_ok());
}

#[test]
fn the_message_says_what_is_accepted() {
    let error = Blob::read(b"\x7fELF").unwrap_err().to_string();
    assert!(error.starts_with("the file is not a runtime: found a native program or library; accepted are"), "{error}");
}
