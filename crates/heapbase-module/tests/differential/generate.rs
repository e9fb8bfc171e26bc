//! Random runtimes that use the host's allocator as compiled code does: every block is written before it is read, and freed
//! once. They say what they see by calling `env.observe`, and never tell an address to anybody.

use arbitrary::{Result, Unstructured};
use std::fmt::Write;

/// Where the runtimes keep their blocks: address and size of each, in 8 bytes.
pub(crate) const SLOTS: u32 = 256;
/// How many blocks there are at a time.
pub(crate) const SLOT_COUNT: u32 = 12;

/// A runtime, and what a comparison has to know of it.
#[derive(Debug)]
pub(crate) struct Program {
    /// The module in text form.
    pub(crate) text: String,
    /// Entry points, `(ptr, len) -> i64`.
    pub(crate) entries: Vec<String>,
    /// The value of `__heap_base`.
    pub(crate) heap_base: u32,
}

/// So many blocks, one after the other, that an arena is fetched.
fn warming() -> String {
    let most = heapbase_module::convert::PATIENCE + 4;
    format!(
        "  (loop $again (call $alloc_0 (i32.const 1) (i32.const 1500)) (call $free_0 (i32.const 1))
   (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {most}))))\n"
    )
}

/// How a function of the allocator is called.
const CALLS: [&str; 4] = ["direct", "shim", "pointer", "place"];

/// Makes a runtime. The same bytes give the same runtime; no bytes give a small one.
pub(crate) fn program(u: &mut Unstructured<'_>) -> Result<Program> {
    let mut maker = Maker {
        has_free: u.ratio(11, 12)?,
        references: u.ratio(1, 3)?,
        overlapping: u.ratio(1, 24)?,
        fillers: if u.ratio(1, 24)? { 150 } else { u.int_in_range(1..=4)? },
        dead_calls: if u.ratio(1, 16)? { 300 } else { 0 },
        large: 1,
        marks: u.ratio(1, 4)?,
        u,
    };
    maker.program()
}

struct Maker<'a, 'b> {
    u: &'a mut Unstructured<'b>,
    has_free: bool,
    references: bool,
    overlapping: bool,
    fillers: u32,
    dead_calls: u32,
    /// Whether blocks are moved to be aligned to 16, and how far is written in front of them.
    marks: bool,
    /// How many large blocks may still be asked for.
    large: u32,
}

/// Places in the table.
const MALLOC_PLACE: u32 = 1;
const FREE_PLACE: u32 = 2;
const OTHER_PLACE: u32 = 3;
const FIRST_FILLER: u32 = 5;

impl Maker<'_, '_> {
    fn program(&mut self) -> Result<Program> {
        let heap_base = match self.u.int_in_range(0..=5)? {
            0 => 8192,
            1 => 65_536 - 4,
            2 => 65_536,
            3 => 70_000 + 4 * self.u.int_in_range(0..=20)?,
            4 => 1_048_576,
            _ => 1_114_116,
        };
        let minimum = u32::div_ceil(heap_base, 65_536) + self.u.int_in_range(0..=16)?;
        let maximum = if self.u.ratio(1, 3)? { format!(" {}", minimum + 6_000) } else { String::new() };
        let memory = format!("{minimum}{maximum}");
        let imported_memory = self.u.ratio(2, 3)?;
        let mut text = String::from("(module\n (type $to_block (func (param i32) (result i32)))\n");
        text += " (type $to_nothing (func (param i32)))\n (type $plain (func))\n";

        let mut imports = vec![
            r#"(import "env" "ext_allocator_malloc_version_1" (func $malloc (param $size i32) (result i32)))"#
                .to_owned(),
            r#"(import "env" "observe" (func $observe (param i64)))"#.to_owned(),
            r#"(import "env" "give" (func $give (param i32) (result i32)))"#.to_owned(),
            r#"(import "env" "take" (func $take (param i32 i32)))"#.to_owned(),
        ];
        if self.has_free {
            imports.push(r#"(import "env" "ext_allocator_free_version_1" (func $free (param i32)))"#.to_owned());
        }
        if self.u.ratio(1, 4)? {
            imports.push(r#"(import "env" "number" (global $imported i32))"#.to_owned());
        }
        if imported_memory {
            imports.push(format!(r#"(import "env" "memory" (memory {memory}))"#));
        }
        if self.u.ratio(1, 16)? {
            imports
                .push(r#"(import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))"#.to_owned());
        }
        self.shuffle(&mut imports)?;
        for import in imports {
            writeln!(text, " {import}").expect("text");
        }
        if !imported_memory {
            writeln!(text, " (memory {memory})").expect("text");
        }
        if !imported_memory || self.u.ratio(1, 3)? {
            text += " (export \"memory\" (memory 0))\n";
        }
        self.globals(&mut text, heap_base)?;
        self.table(&mut text)?;
        writeln!(text, r#" (data (i32.const 16) "\{MALLOC_PLACE:02}\00\00\00\{FREE_PLACE:02}\00\00\00")"#)
            .expect("text");
        text += " (data (i32.const 1024) \"what lies below the heap\")\n";

        let mut functions = self.helpers()?;
        for filler in 0..self.fillers {
            functions.push(self.filler(filler)?);
        }
        let count = self.u.int_in_range(1..=3)?;
        let mut entries = Vec::new();
        for entry in 0..count {
            let name = format!("entry_{entry}");
            functions.push(self.entry(&name)?);
            entries.push(name);
        }
        if self.u.ratio(1, 6)? {
            functions.push(" (func $starts (global.set $g0 (i32.const 7)))\n (start $starts)\n".to_owned());
        }
        self.shuffle(&mut functions)?;
        functions.iter().for_each(|function| text += function);
        text += ")\n";
        Ok(Program { text, entries, heap_base })
    }

    fn shuffle<T>(&mut self, list: &mut [T]) -> Result<()> {
        for last in (1..list.len()).rev() {
            list.swap(last, self.u.choose_index(last + 1)?);
        }
        Ok(())
    }

    fn globals(&mut self, text: &mut String, heap_base: u32) -> Result<()> {
        let base = match self.u.int_in_range(0..=7)? {
            0 => format!("(global $base i32 (i32.add (i32.const {}) (i32.const 16)))", heap_base - 16),
            1 => format!("(global $base (mut i32) (i32.const {heap_base}))"),
            _ => format!("(global $base i32 (i32.const {heap_base}))"),
        };
        let mut globals = vec![
            base,
            r#"(global $g0 (export "g0") (mut i32) (i32.const 1))"#.to_owned(),
            r#"(global $g1 (export "g1") (mut i64) (i64.const 0x0123456789abcdef))"#.to_owned(),
            r#"(global $stack (mut i32) (i32.const 8192))"#.to_owned(),
        ];
        if self.references {
            globals.push("(global $function (mut funcref) (ref.func $malloc_shim))".to_owned());
        }
        self.shuffle(&mut globals)?;
        for global in globals {
            writeln!(text, " {global}").expect("text");
        }
        *text += " (export \"__heap_base\" (global $base))\n";
        if self.u.ratio(1, 8)? {
            *text += " (export \"__data_end\" (global $base))\n";
        }
        if self.u.ratio(1, 8)? {
            *text += " (export \"malloc_again\" (func $malloc))\n";
        }
        Ok(())
    }

    fn table(&mut self, text: &mut String) -> Result<()> {
        let which = |imports: bool, name: &str| if imports { format!("${name}") } else { format!("${name}_shim") };
        let malloc = which(self.u.ratio(1, 3)?, "malloc");
        let free = if self.has_free { which(self.u.ratio(1, 3)?, "free") } else { "$forget".to_owned() };
        writeln!(text, " (table $table {} funcref)", FIRST_FILLER + self.fillers).expect("text");
        writeln!(text, " (elem (i32.const {MALLOC_PLACE}) func {malloc} {free} $other)").expect("text");
        let fillers: Vec<_> = (0..self.fillers).map(|filler| format!("$filler_{filler}")).collect();
        writeln!(text, " (elem (i32.const {FIRST_FILLER}) func {})", fillers.join(" ")).expect("text");
        if self.overlapping {
            writeln!(text, " (elem (i32.const {MALLOC_PLACE}) func $other)").expect("text");
        }
        if self.references {
            *text += " (elem declare func $other $malloc_shim $malloc)\n";
            *text += " (elem $passive funcref (ref.func $malloc) (ref.null func) (ref.func $other))\n";
        }
        Ok(())
    }

    /// The functions that every runtime has.
    fn helpers(&mut self) -> Result<Vec<String>> {
        let mut functions = vec![
            FILL.to_owned(),
            HASH.to_owned(),
            PLACE.to_owned(),
            MARK.to_owned(),
            " (func $malloc_shim (param i32) (result i32) local.get 0 call $malloc)\n".to_owned(),
            " (func $other (param i32) (result i32) (call $observe (i64.const 77)) (call $malloc (local.get 0)))\n"
                .to_owned(),
            " (func $forget (param i32))\n".to_owned(),
        ];
        if self.has_free {
            functions.push(" (func $free_shim (param i32) local.get 0 call $free)\n".to_owned());
        }
        functions.push(self.memcpy()?);
        for variant in 0..2 {
            let call = *self.u.choose(&CALLS)?;
            functions.push(format!(
                " (func $alloc_{variant} (param $slot i32) (param $size i32)
  (call $free_{variant} (local.get $slot))
  local.get $slot local.get $size
  {}
  local.get $size call $place)\n",
                self.malloc("(local.get $size)", call),
            ));
            let call = *self.u.choose(&CALLS)?;
            functions.push(format!(
                " (func $free_{variant} (param $slot i32) (local $old i32)
  (local.set $old (i32.load offset={SLOTS} (i32.shl (local.get $slot) (i32.const 3))))
  (if (i32.eqz (local.get $old)) (then return))
  {}
  (i64.store offset={SLOTS} (i32.shl (local.get $slot) (i32.const 3)) (i64.const 0)))\n",
                self.free("(local.get $old)", call),
            ));
        }
        for variant in 0..3 {
            functions.push(self.grow(variant)?);
        }
        functions.push(self.realloc()?);
        functions.push(REGROW.to_owned());
        functions.push(format!(
            " (func $verify (param $slot i32)
  (call $observe (call $hash
   (i32.load offset={SLOTS} (i32.shl (local.get $slot) (i32.const 3)))
   (i32.load offset={} (i32.shl (local.get $slot) (i32.const 3))))))\n",
            SLOTS + 4
        ));
        functions.push(format!(
            " (func $host (param $slot i32) (param $size i32) (local $new i32)
  (call $free_0 (local.get $slot))
  (local.set $new (call $give (local.get $size)))
  (i32.store offset={SLOTS} (i32.shl (local.get $slot) (i32.const 3)) (local.get $new))
  (i32.store offset={} (i32.shl (local.get $slot) (i32.const 3)) (local.get $size))
  (call $take (local.get $new) (local.get $size)))\n",
            SLOTS + 4
        ));
        Ok(functions)
    }

    /// Allocates; with marks, more than asked for, and aligned to 16.
    fn malloc(&self, size: &str, call: &str) -> String {
        match self.marks {
            true => {
                let size = format!("{size} i32.const 8 i32.add i32.const -1 {size} i32.const -8 i32.lt_u select");
                format!("{} call $mark", malloc(&size, call))
            }
            false => malloc(size, call),
        }
    }

    fn free(&self, block: &str, call: &str) -> String {
        let block = match self.marks {
            true => &format!("{block} {block} i32.const 2 i32.sub i32.load16_u align=1 i32.sub"),
            false => block,
        };
        match call {
            _ if !self.has_free => format!("{block} drop"),
            "direct" => format!("{block} call $free"),
            "shim" => format!("{block} call $free_shim"),
            "pointer" => format!("{block} i32.const 0 i32.load offset=20 call_indirect (type $to_nothing)"),
            _ => format!("{block} i32.const {FREE_PLACE} call_indirect (type $to_nothing)"),
        }
    }

    /// A function of that name, which may do more than copy.
    fn memcpy(&mut self) -> Result<String> {
        let more = match self.u.int_in_range(0..=7)? {
            0 => "(global.set $g0 (i32.add (global.get $g0) (i32.const 1)))",
            1 => "(call $observe (i64.const 5))",
            2 => return Ok(MEMORY_COPY.to_owned()),
            _ => "",
        };
        let name = if self.u.ratio(7, 8)? { "memcpy" } else { "copy_bytes" };
        let alias = if name == "memcpy" {
            ""
        } else {
            " (func $memcpy (@name \"other\") (param i32 i32 i32) (result i32)
  (call $copy_bytes (local.get 0) (local.get 1) (local.get 2)))\n"
        };
        Ok(format!(
            "{alias} (func ${name} (param $to i32) (param $from i32) (param $n i32) (result i32) (local $i i32)\n  {more}\n{MEMCPY}"
        ))
    }

    /// `(block, size, alignment, new size)`: a function that resizes blocks, as newer compilers leave it; some do more.
    fn realloc(&mut self) -> Result<String> {
        let calls = *self.u.choose(&[("direct", "direct"), ("shim", "pointer"), ("pointer", "pointer")])?;
        // What the allocator gives is aligned to 8, and no more is asked for.
        let malloc = malloc("local.get $new", calls.0);
        let unmoved =
            if self.marks { "(i32.store16 align=1 (i32.sub (local.get $to) (i32.const 2)) (i32.const 0))" } else { "" };
        let more = *self.u.choose(&[
            "",
            "",
            "",
            "(global.set $g0 (local.get $new))",
            "(if (i32.gt_u (local.get $new) (i32.const 5000)) (then (call $observe (i64.const 6))))",
        ])?;
        let free = self.free("local.get $block", calls.1);
        Ok(format!(
            " (func $realloc (param $block i32) (param $old i32) (param $align i32) (param $new i32) (result i32) (local $to i32)
  {malloc} local.set $to
  (if (i32.eqz (local.get $to)) (then (return (i32.const 0))))
  {unmoved} {more}
  (drop (call $memcpy (local.get $to) (local.get $block)
   (select (local.get $old) (local.get $new) (i32.lt_u (local.get $old) (local.get $new)))))
  {free}
  local.get $to)\n"
        ))
    }

    /// `(slot, size)`: a block becomes larger or smaller by allocating, copying and freeing, more or less as Rust compiles it.
    fn grow(&mut self, variant: u32) -> Result<String> {
        let calls = *self.u.choose(&[
            ("direct", "direct"),
            ("shim", "shim"),
            ("direct", "shim"),
            ("pointer", "pointer"),
            ("pointer", "direct"),
            ("direct", "pointer"),
            ("place", "direct"),
        ])?;
        let length = *self.u.choose(&[
            "local.get $length",
            "local.get $before local.get $size local.get $before local.get $size i32.lt_u select",
            "local.get $length i32.const 0 local.get $new select",
            "local.get $length i32.const 1 i32.mul",
        ])?;
        let (test, between, frees) = *self.u.choose(&[
            ("local.tee $new i32.eqz br_if $null", "", "$old"),
            ("local.tee $new i32.eqz br_if $null", "", "$old"),
            ("local.tee $new i32.eqz br_if $null", "", "$old"),
            ("local.set $new local.get $new i32.eqz br_if $null", "", "$old"),
            ("local.tee $new i32.eqz br_if $null", "nop", "$old"),
            // The block is copied, and another one freed: where this one was, the other slot now has it.
            ("local.tee $new i32.eqz br_if $null", "", "$other"),
        ])?;
        let other = if frees == "$other" {
            format!(
                "(local.set $other (i32.load offset={SLOTS} (i32.const 0)))
  (if (i32.or (i32.eqz (local.get $other)) (i32.eqz (local.get $slot))) (then (return)))"
            )
        } else {
            String::new()
        };
        let keep = if frees == "$other" {
            format!(
                "(i32.store offset={SLOTS} (i32.const 0) (local.get $old))
   (i32.store offset={} (i32.const 0) (local.get $before))",
                SLOTS + 4
            )
        } else {
            String::new()
        };
        Ok(format!(
            " (func $grow_{variant} (param $slot i32) (param $size i32)
  (local $old i32) (local $new i32) (local $before i32) (local $length i32) (local $other i32)
  (local.set $old (i32.load offset={SLOTS} (i32.shl (local.get $slot) (i32.const 3))))
  (local.set $before (i32.load offset={} (i32.shl (local.get $slot) (i32.const 3))))
  (if (i32.eqz (local.get $old)) (then (call $alloc_0 (local.get $slot) (local.get $size)) (return)))
  {other}
  (local.set $length (select (local.get $before) (local.get $size) (i32.lt_u (local.get $before) (local.get $size))))
  block $null
   {}
   {test}
   {between}
   local.get $new
   local.get $old
   {length}
   call $memcpy
   drop
   {}
   (call $observe (call $hash_first (local.get $new) (local.get $length)))
   {keep}
   (call $place (local.get $slot) (local.get $size) (local.get $new) (local.get $size))
   return
  end
  (call $observe (i64.const 99)))\n",
            SLOTS + 4,
            self.malloc("local.get $size", calls.0),
            self.free(&format!("local.get {frees}"), calls.1),
        ))
    }

    fn filler(&mut self, number: u32) -> Result<String> {
        let dead = if number == 0 && self.dead_calls > 0 {
            let free = if self.has_free { "call $free" } else { "drop" };
            format!(
                "(if (i32.eqz (i32.or (global.get $g0) (i32.const 1))) (then {}))",
                format!("i32.const 8 call $malloc {free} ").repeat(self.dead_calls as usize)
            )
        } else {
            String::new()
        };
        let factor: u32 = if self.fillers > 10 { number } else { self.u.arbitrary()? };
        Ok(format!(
            " (func $filler_{number} {dead}
  (global.set $g0 (i32.mul (i32.add (global.get $g0) (i32.const {})) (i32.const 2654435)))
  (global.set $g1 (i64.xor (i64.rotl (global.get $g1) (i64.const 5)) (i64.extend_i32_u (global.get $g0)))))\n",
            factor.cast_signed()
        ))
    }

    fn entry(&mut self, name: &str) -> Result<String> {
        // A converted runtime is patient before it fetches an arena; half of these want one at once.
        let mut code = if self.u.ratio(1, 2)? { warming() } else { String::new() };
        let count = self.u.int_in_range(1..=40)?;
        for _ in 0..count {
            if self.u.is_empty() {
                break;
            }
            let operation = self.operation(0)?;
            writeln!(code, "  {operation}").expect("text");
        }
        let output = match self.u.int_in_range(0..=3)? {
            0 => "(i64.const 0)".to_owned(),
            1 => "(i64.or (i64.extend_i32_u (local.get $ptr)) (i64.shl (i64.extend_i32_u (local.get $len)) (i64.const 32)))"
                .to_owned(),
            _ => {
                let size = self.size()?.min(500);
                format!(
                    "{} local.set $out (call $fill (local.get $out) (i32.const {size}) (i32.const 3))
  (i64.or (i64.extend_i32_u (local.get $out)) (i64.const {}))",
                    self.malloc(&format!("(i32.const {size})"), "direct"),
                    u64::from(size) << 32
                )
            }
        };
        // What is returned may not be freed.
        let free_input = if !output.contains("$ptr") && self.u.ratio(1, 2)? {
            self.free("(local.get $ptr)", "direct")
        } else {
            String::new()
        };
        Ok(format!(
            " (func ${name} (export \"{name}\") (param $ptr i32) (param $len i32) (result i64) (local $out i32) (local $i i32)
  (call $observe (call $hash (local.get $ptr) (local.get $len)))
{code}  {free_input}
  {output})\n"
        ))
    }

    fn size(&mut self) -> Result<u32> {
        Ok(match self.u.int_in_range(0..=127)? {
            0..=7 => 0,
            8..=63 => self.u.int_in_range(0..=64)?,
            64..=99 => self.u.int_in_range(0..=600)?,
            100..=119 => self.u.int_in_range(0..=9_000)?,
            120..=126 => self.u.int_in_range(0..=140_000)?,
            _ if self.large > 0 => {
                self.large -= 1;
                *self.u.choose(&[1 << 20, (1 << 22) + 1, 16 << 20, (16 << 20) - 4096, 32 << 20])?
            }
            _ => 8,
        })
    }

    fn operation(&mut self, depth: u32) -> Result<String> {
        let slot = self.u.int_in_range(0..=SLOT_COUNT - 1)?;
        Ok(match self.u.int_in_range(0..=47)? {
            0..=11 => {
                let (variant, size) = (self.u.int_in_range(0..=1)?, self.size()?);
                format!("(call $alloc_{variant} (i32.const {slot}) (i32.const {size}))")
            }
            12..=18 => format!("(call $free_{} (i32.const {slot}))", self.u.int_in_range(0..=1)?),
            19..=25 => {
                let (variant, size) = (self.u.int_in_range(0..=2)?, self.size()?);
                format!("(call $grow_{variant} (i32.const {slot}) (i32.const {size}))")
            }
            26..=28 => format!("(call $regrow (i32.const {slot}) (i32.const {}))", self.size()?),
            29..=32 => format!("(call $verify (i32.const {slot}))"),
            33 | 34 => format!("(call $host (i32.const {slot}) (i32.const {}))", self.size()?.min(9_000)),
            35 | 36 => format!("(call $filler_{})", self.u.int_in_range(0..=self.fillers - 1)?),
            37 => {
                // Now and then a place that holds nothing, or something of another type.
                let place = FIRST_FILLER + self.u.int_in_range(0..=self.fillers - 1)?;
                let place = if self.u.ratio(1, 8)? { self.u.int_in_range(0..=4)? } else { place };
                format!("(call_indirect (type $plain) (i32.const {place}))")
            }
            38 => "(i64.store offset=2048 (i32.and (global.get $g0) (i32.const 1023)) (global.get $g1))".to_owned(),
            39..=41 if depth == 0 => {
                let times = self.u.int_in_range(1..=20)?;
                let label = self.u.int_in_range(0..=1_000_000)?;
                let large = std::mem::take(&mut self.large);
                let mut inner = String::new();
                for _ in 0..self.u.int_in_range(1..=4)? {
                    inner += &self.operation(1)?;
                    inner += " ";
                }
                self.large = large;
                format!(
                    "(local.set $i (i32.const {times})) (loop $l{label} {inner}
   (br_if $l{label} (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
                )
            }
            42 => self.rare()?,
            43 => {
                let size = self.u.int_in_range(0..=5_000)?;
                let offset = self.u.int_in_range(0..=200)?;
                format!(
                    "(call $grow_0 (i32.const {slot}) (i32.add (i32.const {size}) (i32.and (global.get $g0) (i32.const {offset}))))"
                )
            }
            _ => format!("(call $verify (i32.rem_u (global.get $g0) (i32.const {SLOT_COUNT})))"),
        })
    }

    /// What ends a call, and what takes the ground from under an optimisation.
    fn rare(&mut self) -> Result<String> {
        Ok(match self.u.int_in_range(0..=11)? {
            0 => "(if (i32.and (global.get $g0) (i32.const 4)) (then unreachable))".to_owned(),
            1 => "(drop (i32.load (i32.const -8)))".to_owned(),
            2 => "(drop (i32.div_u (i32.const 1) (i32.and (global.get $g0) (i32.const 2))))".to_owned(),
            3 => {
                let (size, call) = (self.huge()?, *self.u.choose(&CALLS)?);
                format!("{} drop", self.malloc(&format!("(i32.const {size})"), call))
            }
            4 => format!("(call $grow_0 (i32.const 1) (i32.const {}))", self.huge()?),
            // Nothing that was ever given out.
            5 if self.has_free => "(call $free (i32.const 0))".to_owned(),
            6 if self.has_free => "(call $free (i32.const 24))".to_owned(),
            7 | 8 => format!("(i32.store (i32.const 16) (i32.const {OTHER_PLACE}))"),
            9 if self.references => {
                format!("(table.set $table (i32.const {MALLOC_PLACE}) (ref.func $other))")
            }
            10 if self.references => {
                "(table.init $table $passive (i32.const 1) (i32.const 2) (i32.const 1))".to_owned()
            }
            11 if self.references => {
                "(drop (ref.is_null (ref.func $malloc))) (call_indirect (type $plain) (i32.const 5))".to_owned()
            }
            _ => format!("(i32.store (i32.const 16) (i32.const {MALLOC_PLACE}))"),
        })
    }

    /// A size that the legacy host refuses.
    fn huge(&mut self) -> Result<i32> {
        Ok(*self.u.choose(&[(32 << 20) + 1, 48 << 20, i32::MAX, i32::MIN, -1, -7, -8, -9, -65_536])?)
    }
}

fn malloc(size: &str, call: &str) -> String {
    match call {
        "direct" => format!("{size} call $malloc"),
        "shim" => format!("{size} call $malloc_shim"),
        "pointer" => format!("{size} i32.const 0 i32.load offset=16 call_indirect (type $to_block)"),
        _ => format!("{size} i32.const {MALLOC_PLACE} call_indirect (type $to_block)"),
    }
}

/// Writes a block's first 512 and last 16 bytes; a byte depends on its place and a seed.
const FILL: &str = " (func $fill (param $p i32) (param $n i32) (param $seed i32) (local $i i32) (local $end i32)
  (local.set $end (select (local.get $n) (i32.const 512) (i32.lt_u (local.get $n) (i32.const 512))))
  (block $done (loop $next
   (br_if $done (i32.ge_u (local.get $i) (local.get $end)))
   (i32.store8 (i32.add (local.get $p) (local.get $i))
    (i32.add (i32.mul (local.get $i) (i32.const 7)) (local.get $seed)))
   (local.set $i (i32.add (local.get $i) (i32.const 1)))
   (br $next)))
  (if (i32.le_u (local.get $n) (i32.const 512)) (then return))
  (i64.store (i32.sub (i32.add (local.get $p) (local.get $n)) (i32.const 16)) (i64.extend_i32_u (local.get $seed)))
  (i64.store (i32.sub (i32.add (local.get $p) (local.get $n)) (i32.const 8)) (i64.extend_i32_u (local.get $seed))))
";

/// Reads the same bytes.
const HASH: &str = " (func $hash_first (param $p i32) (param $n i32) (result i64) (local $i i32) (local $hash i64)
  (local.set $n (select (local.get $n) (i32.const 512) (i32.lt_u (local.get $n) (i32.const 512))))
  (local.set $hash (i64.extend_i32_u (local.get $n)))
  (block $done (loop $next
   (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
   (local.set $hash (i64.mul (i64.const 0x100000001b3)
    (i64.xor (local.get $hash) (i64.load8_u (i32.add (local.get $p) (local.get $i))))))
   (local.set $i (i32.add (local.get $i) (i32.const 1)))
   (br $next)))
  (local.get $hash))
 (func $hash (param $p i32) (param $n i32) (result i64)
  (if (i32.le_u (local.get $n) (i32.const 512)) (then (return (call $hash_first (local.get $p) (local.get $n)))))
  (i64.xor (call $hash_first (local.get $p) (i32.const 512))
   (call $hash_first (i32.sub (i32.add (local.get $p) (local.get $n)) (i32.const 16)) (i32.const 16))))
";

/// `(slot, seed, block, size)`: a fresh block goes into a slot.
const PLACE: &str = " (func $place (param $slot i32) (param $seed i32) (param $block i32) (param $size i32)
  (call $observe (i64.extend_i32_u (i32.and (local.get $block) (i32.const 7))))
  (i32.store offset=256 (i32.shl (local.get $slot) (i32.const 3)) (local.get $block))
  (i32.store offset=260 (i32.shl (local.get $slot) (i32.const 3)) (local.get $size))
  (call $fill (local.get $block) (local.get $size) (i32.add (local.get $seed) (i32.mul (local.get $slot) (i32.const 31)))))
";

/// `(slot, size)`: resizes a block by the function for it.
const REGROW: &str = " (func $regrow (param $slot i32) (param $size i32) (local $block i32) (local $before i32)
  (local.set $block (i32.load offset=256 (i32.shl (local.get $slot) (i32.const 3))))
  (local.set $before (i32.load offset=260 (i32.shl (local.get $slot) (i32.const 3))))
  (if (i32.eqz (local.get $block)) (then (call $alloc_0 (local.get $slot) (local.get $size)) (return)))
  (local.set $block (call $realloc (local.get $block) (local.get $before) (i32.const 8) (local.get $size)))
  (call $observe (call $hash_first (local.get $block)
   (select (local.get $before) (local.get $size) (i32.lt_u (local.get $before) (local.get $size)))))
  (call $place (local.get $slot) (local.get $size) (local.get $block) (local.get $size)))
";

/// `(block)`: moves it to a multiple of 16, and writes how far in front of it.
const MARK: &str = " (func $mark (param $block i32) (result i32) (local $distance i32)
  (local.set $distance (i32.and (local.get $block) (i32.const 8)))
  (local.set $block (i32.add (local.get $block) (local.get $distance)))
  (i32.store16 align=1 (i32.sub (local.get $block) (i32.const 2)) (local.get $distance))
  (local.get $block))
";

/// Eight bytes at a time, then one.
const MEMCPY: &str = "  (block $done (loop $next
   (br_if $done (i32.lt_u (i32.sub (local.get $n) (local.get $i)) (i32.const 8)))
   (i64.store (i32.add (local.get $to) (local.get $i)) (i64.load (i32.add (local.get $from) (local.get $i))))
   (local.set $i (i32.add (local.get $i) (i32.const 8)))
   (br $next)))
  (block $done (loop $next
   (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
   (i32.store8 (i32.add (local.get $to) (local.get $i)) (i32.load8_u (i32.add (local.get $from) (local.get $i))))
   (local.set $i (i32.add (local.get $i) (i32.const 1)))
   (br $next)))
  (local.get $to))
";

const MEMORY_COPY: &str = " (func $memmove (param i32 i32 i32) (result i32)
  (memory.copy (local.get 0) (local.get 1) (local.get 2)) (local.get 0))
 (func $memcpy (param i32 i32 i32) (result i32) (call $memmove (local.get 0) (local.get 1) (local.get 2)))
";
