//! Compact integers as `parity-scale-codec` reads and writes them: a file for the tests of every language's kit.

use codec::{Compact, DecodeAll, Encode};
use std::fmt::Write;

/// The file's text. A line: the width in bits, the value or `-` where the bytes do not decode, the bytes.
pub fn compact() -> String {
    let mut text = String::from(
        "# Compact integers: bits, value (- where it does not decode), bytes. Written by runtimes/agreement's `metadata`.\n",
    );
    let mut line = |bits: u32, value: Option<u128>, bytes: &[u8]| {
        let value = value.map_or("-".into(), |value| value.to_string());
        let _ = writeln!(text, "{bits} {value} {}", hex::encode(bytes));
    };
    for bits in [32, 64, 128] {
        let mut inputs: Vec<Vec<u8>> = Vec::new();
        // The forms change at these powers of two.
        for exponent in [0, 6, 14, 30].into_iter().chain((32..=bits).step_by(8)) {
            // Around each power of two, in the shortest form, and in each longer one.
            let power = 1u128.checked_shl(exponent).unwrap_or(0);
            for value in [power.wrapping_sub(1), power, power | 1] {
                inputs.push(Compact(value).encode());
                inputs.push((((value as u16) << 2) | 1).to_le_bytes().into());
                inputs.push((((value as u32) << 2) | 2).to_le_bytes().into());
                for length in [4usize, 5, 8, 9, 16, 17] {
                    let mut bytes = vec![((length - 4) as u8) << 2 | 3];
                    bytes.extend(value.to_le_bytes().into_iter().chain([1]).take(length));
                    inputs.push(bytes);
                }
            }
        }
        for length in [0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 18, 64, 68] {
            inputs.push(vec![0xff; length]);
            inputs.push([vec![3 | (length as u8) << 2], vec![0; length]].concat());
        }
        inputs.push(vec![4, 0]);
        inputs.sort();
        inputs.dedup();
        for input in inputs {
            line(bits, decoded(bits, &input), &input);
        }
    }
    text
}

fn decoded(bits: u32, mut input: &[u8]) -> Option<u128> {
    match bits {
        32 => Some(Compact::<u32>::decode_all(&mut input).ok()?.0.into()),
        64 => Some(Compact::<u64>::decode_all(&mut input).ok()?.0.into()),
        _ => Some(Compact::<u128>::decode_all(&mut input).ok()?.0),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_is_what_the_codec_does() {
        let file = crate::languages::compact_file();
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(text == super::compact(), "{} is out of date: `cargo run --bin metadata` writes it", file.display());
    }
}
