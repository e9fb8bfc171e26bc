//! Writes what parity-scale-codec encodes, decodes and refuses to `scale.tsv`, which the tests of every kit read.
//!
//! One line for each case, three columns with tabs between: the type, the value (`!` where the bytes do not decode), the bytes in
//! hexadecimal digits. Numbers are decimal; `bytes` are hexadecimal; an option is `none` or its value.
//!
//! ```text
//! cargo run --manifest-path runtimes/vectors/Cargo.toml            # writes scale.tsv
//! cargo test --manifest-path runtimes/vectors/Cargo.toml           # compares
//! ```

use codec::{Compact, Decode, DecodeAll, Encode};
use std::{fmt::Display, path::PathBuf};

fn main() -> std::io::Result<()> {
    std::fs::write(path(), lines())
}

/// Where the file lies.
fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scale.tsv")
}

/// The file's contents.
fn lines() -> String {
    let mut out = String::new();
    let edges: Vec<u128> = edges().collect();

    for &value in &edges {
        encoded::<u8>(&mut out, "u8", value);
        encoded::<u16>(&mut out, "u16", value);
        encoded::<u32>(&mut out, "u32", value);
        encoded::<u64>(&mut out, "u64", value);
        encoded::<u128>(&mut out, "u128", value);
        compact::<u32>(&mut out, "compact32", value);
        compact::<u64>(&mut out, "compact64", value);
        compact::<u128>(&mut out, "compact128", value);
    }
    // Every form with every length and payload: what is too long, too short, or larger than the type.
    for bytes in compact_forms(&edges) {
        decoded(&mut out, "compact32", &bytes, |value: Compact<u32>| value.0.to_string());
        decoded(&mut out, "compact64", &bytes, |value: Compact<u64>| value.0.to_string());
        decoded(&mut out, "compact128", &bytes, |value: Compact<u128>| value.0.to_string());
    }
    for byte in 0..=4 {
        decoded(&mut out, "bool", &[byte], |value: bool| u8::from(value).to_string());
        decoded(&mut out, "option32", &[byte], option);
        decoded(&mut out, "option32", &[byte, 1, 2, 3, 4], option);
    }
    for bytes in [&[][..], &[1], &[1, 2, 3]] {
        decoded(&mut out, "u32", bytes, |value: u32| value.to_string());
        decoded(&mut out, "option32", bytes, option);
    }
    decoded(&mut out, "bool", &[], |value: bool| u8::from(value).to_string());
    for len in [0, 1, 2, 63, 64, 65, 300] {
        let value: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let whole = value.encode();
        decoded(&mut out, "bytes", &whole, |value: Vec<u8>| hex(&value));
        decoded(&mut out, "bytes", &[&whole[..], &[0]].concat(), |value: Vec<u8>| hex(&value));
        decoded(&mut out, "bytes", &whole[..whole.len() - 1], |value: Vec<u8>| hex(&value));
    }
    // Lengths that promise more than there is.
    for bytes in [&[0xfe, 0xff, 0xff, 0xff][..], &[3, 0xff, 0xff, 0xff, 0xff], &[3, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]] {
        decoded(&mut out, "bytes", bytes, |value: Vec<u8>| hex(&value));
    }
    out
}

fn option(value: Option<u32>) -> String {
    value.map_or("none".to_owned(), |value| value.to_string())
}

/// Numbers around every power of two that some encoding cares about.
fn edges() -> impl Iterator<Item = u128> {
    let powers = [0, 6, 8, 14, 16, 24, 30, 31, 32, 40, 48, 53, 56, 62, 63, 64, 72, 80, 96, 100, 120, 127];
    let around = powers.into_iter().flat_map(|bits| {
        let power = 1u128 << bits;
        [power - 1, power, power + 1]
    });
    around.chain([u128::MAX - 1, u128::MAX])
}

/// Compact encodings, most of them not minimal or too large: each form with the leading bytes of each number.
fn compact_forms(edges: &[u128]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for &value in edges {
        let bytes = value.to_le_bytes();
        if value < 1 << 14 {
            forms.push(((value as u16) << 2 | 1).to_le_bytes().to_vec());
        }
        if value < 1 << 30 {
            forms.push(((value as u32) << 2 | 2).to_le_bytes().to_vec());
        }
        for len in 4..=17 {
            let payload = bytes.iter().chain(std::iter::repeat(&0)).take(len);
            let first = ((len - 4) << 2 | 3) as u8;
            forms.push(std::iter::once(first).chain(payload.copied()).collect());
        }
        // One byte too few, and one too many.
        let whole = Compact(value).encode();
        forms.push(whole[..whole.len() - 1].to_vec());
        forms.push([whole, vec![0]].concat());
    }
    forms.sort();
    forms.dedup();
    forms
}

fn encoded<T: TryFrom<u128> + Encode + Display>(out: &mut String, kind: &str, value: u128) {
    if let Ok(value) = T::try_from(value) {
        line(out, kind, &value, &value.encode());
    }
}

fn compact<T: TryFrom<u128> + Display + Copy>(out: &mut String, kind: &str, value: u128)
where
    Compact<T>: Encode,
{
    if let Ok(value) = T::try_from(value) {
        line(out, kind, &value, &Compact(value).encode());
    }
}

fn decoded<T: Decode>(out: &mut String, kind: &str, bytes: &[u8], show: impl Fn(T) -> String) {
    let value = T::decode_all(&mut &bytes[..]).map_or("!".to_owned(), show);
    line(out, kind, &value, bytes);
}

fn line(out: &mut String, kind: &str, value: &dyn Display, bytes: &[u8]) {
    out.push_str(&format!("{kind}\t{value}\t{}\n", hex(bytes)));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_the_codec_does() {
        let kept = std::fs::read_to_string(path()).unwrap();
        assert!(kept == lines(), "scale.tsv is not what parity-scale-codec does: make it again by `cargo run` here");
    }

    #[test]
    fn all_that_is_accepted_is_the_one_encoding() {
        for line in lines().lines().filter(|line| line.starts_with("compact128")) {
            let [_, value, bytes] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            if let Ok(value) = value.parse::<u128>() {
                assert_eq!(hex(&Compact(value).encode()), bytes, "{value}");
            }
        }
    }
}
