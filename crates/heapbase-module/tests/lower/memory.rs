//! Copies, fills and data segments: the same memory and the same traps as the instructions themselves, for all small sizes and
//! distances, at the end of memory, and at the end of 4 GiB.

use super::edges::both;
use super::{Options, lower};
use std::fmt::Write;
use std::process::Command;
use wasmi::{Instance, Memory, Store, TrapCode};

const PAGE: u32 = 65_536;

struct Side {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

fn sides(text: &str) -> [Side; 2] {
    both(text).map(|(store, instance)| {
        let memory = instance.get_memory(&store, "memory").expect("exported");
        Side { store, instance, memory }
    })
}

impl Side {
    fn call(&mut self, name: &str, [a, b, c]: [u32; 3]) -> Option<TrapCode> {
        let function = self.instance.get_typed_func::<(u32, u32, u32), ()>(&self.store, name).expect("exported");
        let error = function.call(&mut self.store, (a, b, c)).err()?;
        Some(error.as_trap_code().unwrap_or_else(|| panic!("no trap: {error}")))
    }

    fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    fn scramble(&mut self, seed: u32) {
        let mut random = seed | 1;
        for byte in self.memory.data_mut(&mut self.store) {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (random >> 24) as u8;
        }
    }
}

/// Calls the same on both sides, and compares what happens.
fn same(sides: &mut [Side; 2], name: &str, arguments: [u32; 3]) -> Option<TrapCode> {
    let [before, after] = sides;
    let expected = before.call(name, arguments);
    let found = after.call(name, arguments);
    assert_eq!(found, expected, "{name} {arguments:?}");
    assert!(before.memory() == after.memory(), "memory after {name} {arguments:?}");
    found
}

/// The same, looking only at the first bytes.
fn same_near(sides: &mut [Side; 2], bytes: usize, name: &str, arguments: [u32; 3]) {
    let [before, after] = sides;
    assert_eq!(after.call(name, arguments), before.call(name, arguments), "{name} {arguments:?}");
    assert!(before.memory()[..bytes] == after.memory()[..bytes], "memory after {name} {arguments:?}");
}

const BULK: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#;

#[test]
fn all_small_copies_and_fills() {
    let mut sides = sides(BULK);
    sides.iter_mut().for_each(|side| side.scramble(7));
    for size in (0..75).chain([96, 127, 128, 129, 200]) {
        for to in 40..58 {
            for from in [0, 1, 3, 8, 17, 30].into_iter().chain(36..66).chain([90, 120, 140, 250]) {
                same_near(&mut sides, 512, "copy", [to, from, size]);
            }
            same_near(&mut sides, 512, "fill", [to, 0x1_0000 + to * size, size]);
        }
        sides.iter_mut().for_each(|side| side.scramble(size));
    }
    let [before, after] = &sides;
    assert!(before.memory() == after.memory());
}

/// From every place in a word, over each other by all distances, and those that align their target first.
#[test]
fn long_copies_and_fills() {
    let mut sides = sides(BULK);
    sides.iter_mut().for_each(|side| side.scramble(11));
    for size in (130..150).chain(515..535).chain([575, 583, 584, 591, 1001, 1009, 1011, 1012, 1543, 1545]) {
        for to in 2000..2009 {
            for from in (1992..2018).chain([100, 1900, 1930, 2070, 2511, 4000]) {
                same_near(&mut sides, 6000, "copy", [to, from, size]);
            }
            same_near(&mut sides, 6000, "fill", [to, 0x1_0000 + to * size, size]);
        }
        sides.iter_mut().for_each(|side| side.scramble(size));
    }
    // The last bytes of memory.
    for size in [521, 528, 1007, 1008, 1009, 1013] {
        for back in 0..9 {
            let end = PAGE - size - back;
            same(&mut sides, "copy", [end, 3, size]);
            same(&mut sides, "copy", [end - 5, end, size]);
            same(&mut sides, "copy", [end, end - 5, size]);
            same(&mut sides, "fill", [end, back, size]);
            assert!(same(&mut sides, "copy", [end, 3, size + back + 1]).is_some());
        }
    }
    let [before, after] = &sides;
    assert!(before.memory() == after.memory());
}

/// Addresses and sizes around a page's end and around 4 GiB.
fn edges() -> Vec<u32> {
    let mut all = vec![0, 1, 7, 8, 9, 16, 17, 31, 1 << 31, (1 << 31) + 1, PAGE - 64];
    all.extend((0..12).map(|back| PAGE - back));
    all.extend((1..18).map(|more| PAGE + more));
    all.extend((1..20).map(|back| 0_u32.wrapping_sub(back)));
    all.push(0_u32.wrapping_sub(PAGE));
    all
}

#[test]
fn copies_and_fills_trap_before_they_write() {
    let mut sides = sides(BULK);
    sides.iter_mut().for_each(|side| side.scramble(1));
    let (mut trapped, mut done) = (0, 0);
    let mut count = |trap: Option<TrapCode>| match trap {
        Some(code) => {
            assert_eq!(code, TrapCode::MemoryOutOfBounds);
            trapped += 1;
        }
        None => done += 1,
    };
    let edges = edges();
    for (number, a) in edges.iter().enumerate() {
        for size in &edges {
            count(same(&mut sides, "fill", [*a, *size, *size]));
            // Not all of all: memory is compared each time.
            for b in edges.iter().skip(number % 7).step_by(7) {
                count(same(&mut sides, "copy", [*a, *b, *size]));
            }
        }
    }
    assert!(trapped > 10_000 && done > 100, "{trapped} trapped, {done} done");
}

/// Calls of `copy` and `fill` at the end of 4 GiB, and what the trap was, or what lay around the ends afterwards.
const AT_THE_END: &str = r#"
    const fs = require("fs");
    const end = 2 ** 32;
    const cases = [];
    for (const [to, size] of [[1, 1], [1, 2], [100, 100], [100, 101], [16, 16], [8, 9], [1, 0], [7, 7], [7, 8], [40, 40]])
        cases.push(["fill", end - to, size + 3, size]);
    cases.push(["fill", 0, 3, 40], ["fill", 0, 5, 0], ["fill", 2, 5, end - 1]);
    for (const [to, from, size] of [
        [0, end - 8, 8], [0, end - 8, 16], [end - 8, 0, 16], [end - 16, 0, 16], [end - 50, 3, 50], [end - 51, end - 50, 50],
        [end - 50, end - 51, 50], [end - 50, end - 51, 51], [5000, end - 100, 100], [end - 100, 5000, 101], [2, 0, end - 1],
        [0, end - 1, 0], [end - 4, end - 1, 2], [end - 9, end - 17, 9], [end - 17, end - 9, 9], [end - 1, 0, 1], [end - 3, 1, 3],
    ]) cases.push(["copy", to, from, size]);
    const { memory, copy, fill } = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(process.argv[1])), {}).exports;
    const bytes = new Uint8Array(memory.buffer);
    if (bytes.length !== end) throw new Error("the memory has " + bytes.length + " bytes");
    for (let at = 0; at < 300; at++) bytes[at] = bytes[end - 300 + at] = bytes[5000 + at] = at * 7 + 1;
    for (const [name, ...args] of cases) {
        let trap = "";
        try { (name === "copy" ? copy : fill)(...args) } catch (error) { trap = error.message }
        const near = [0, 5000, end - 300].map(at => Buffer.from(bytes.slice(at, at + 300)).toString("hex"));
        console.log(name, ...args, trap, ...near);
    }"#;

#[test]
fn the_last_bytes_of_four_gigabytes() {
    // In node's engine: of so large a memory only what is touched is there, while wasmi fills all of it with zeros.
    let wasm = wat::parse_str(BULK.replace(") 1)", ") 65536)")).expect("a module");
    let lowered = lower(&wasm, &Options::default()).expect("it is lowered").wasm;
    let folder = tempfile::tempdir().expect("a folder");
    let mut said = Vec::new();
    for (name, wasm) in [("before.wasm", &wasm), ("after.wasm", &lowered)] {
        let path = folder.path().join(name);
        std::fs::write(&path, wasm).expect("writable");
        let Ok(output) = Command::new("node").args(["-e", AT_THE_END]).arg(&path).output() else {
            println!("SKIPPED: needs node");
            assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "HEAPBASE_REQUIRE_ALL forbids skipping");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        said.push(String::from_utf8(output.stdout).expect("text"));
    }
    assert_eq!(said[0].lines().count(), 30);
    assert!(said[0].lines().filter(|line| line.contains("out of bounds")).count() > 8, "{}", said[0]);
    for (before, after) in said[0].lines().zip(said[1].lines()) {
        assert_eq!(before, after);
    }
}

#[test]
fn copies_and_fills_of_constant_sizes() {
    let mut text = String::from("(module (memory (export \"memory\") 1)\n");
    let sizes: Vec<u32> = (0..=40).chain([64, 0xffff_ffff]).collect();
    for size in &sizes {
        for value in ["local.get 1", "i32.const 0", "i32.const 0x7f", "i32.const -2"] {
            writeln!(
                text,
                "(func (export \"fill {size} {value}\") (param i32 i32 i32)
                   local.get 0 {value} i32.const {} memory.fill)",
                size.cast_signed()
            )
            .expect("text");
        }
        writeln!(
            text,
            "(func (export \"copy {size}\") (param i32 i32 i32)
               local.get 0 local.get 1 i32.const {} memory.copy)",
            size.cast_signed()
        )
        .expect("text");
    }
    text += ")";
    let mut sides = sides(&text);
    sides.iter_mut().for_each(|side| side.scramble(3));
    for size in sizes {
        for value in ["local.get 1", "i32.const 0", "i32.const 0x7f", "i32.const -2"] {
            for to in [3, 40, PAGE - 40, PAGE.saturating_sub(size), PAGE - 1, PAGE, PAGE + 1, u32::MAX] {
                same(&mut sides, &format!("fill {size} {value}"), [to, 0xabc, 0]);
            }
        }
        let end = PAGE.saturating_sub(size);
        for to in [100, 101, end, end + 1, end.saturating_sub(3), u32::MAX] {
            for from in [60, 99, 100, 102, 108, 133, end, end + 1, PAGE - 1, u32::MAX - 4] {
                same(&mut sides, &format!("copy {size}"), [to, from, 0]);
            }
        }
        sides.iter_mut().for_each(|side| side.scramble(size));
    }
}

#[test]
fn segments_are_copied_and_dropped() {
    let mut text = String::from("(module (memory (export \"memory\") 1)\n");
    let lengths = [0, 1, 7, 8, 9, 16, 100, 2047, 2048, 2049, 9000];
    for (number, length) in lengths.into_iter().enumerate() {
        let bytes: String = (0..length)
            .map(|place: u32| match place / 50 % 3 {
                0 => "\\00".to_owned(),
                1 => format!("\\{:02x}", place * 7 % 256),
                _ => format!("\\{:02x}", place % 8),
            })
            .collect();
        writeln!(
            text,
            "(data $d{number} \"{bytes}\")
             (func (export \"init {number}\") (param i32 i32 i32)
               (memory.init $d{number} (local.get 0) (local.get 1) (local.get 2)))
             (func (export \"drop {number}\") (param i32 i32 i32) (data.drop $d{number}))"
        )
        .expect("text");
    }
    text += "(data $active (i32.const 9) \"active\")
        (func (export \"init active\") (param i32 i32 i32)
          (memory.init $active (local.get 0) (local.get 1) (local.get 2)))
        (func (export \"drop active\") (param i32 i32 i32) (data.drop $active)))";
    let mut sides = sides(&text);
    let (mut trapped, mut done) = (0, 0);
    let mut try_all = |sides: &mut [Side; 2], name: &str, length: u32| {
        let froms = [0, 1, 7, 8, 13, length / 2, length.saturating_sub(1), length, length + 1, u32::MAX];
        let sizes = [0, 1, 2, 8, 9, 40, length / 2, length.saturating_sub(1), length, length + 1, u32::MAX];
        for to in [0, 5, PAGE - 40, PAGE.saturating_sub(length), PAGE, PAGE + 1, u32::MAX] {
            for from in froms {
                for size in sizes {
                    match same(sides, name, [to, from, size]) {
                        Some(_) => trapped += 1,
                        None => done += 1,
                    }
                }
            }
        }
    };
    for (number, length) in lengths.into_iter().enumerate() {
        sides.iter_mut().for_each(|side| side.scramble(length));
        let name = format!("init {number}");
        try_all(&mut sides, &name, length);
        same(&mut sides, &format!("drop {number}"), [0; 3]);
        try_all(&mut sides, &name, length);
        same(&mut sides, &format!("drop {number}"), [0; 3]);
    }
    try_all(&mut sides, "init active", 6);
    same(&mut sides, "drop active", [0; 3]);
    assert!(trapped > 1000 && done > 100, "{trapped} trapped, {done} done");
}
