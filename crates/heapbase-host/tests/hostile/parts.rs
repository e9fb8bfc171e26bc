//! Well-formed modules in text, from which each test changes one part.

use std::fmt;

/// A module in parts. The constants [`V1`] and [`LEGACY`] are without flaw.
#[derive(Clone, Copy)]
pub(crate) struct Wat {
    imports: &'static str,
    memory: &'static str,
    /// What makes it `v1`.
    marker: &'static str,
    alloc: Alloc,
    dealloc: &'static str,
    realloc: &'static str,
    heap_base: &'static str,
    entry: Entry,
    rest: &'static str,
}

#[derive(Clone, Copy)]
enum Alloc {
    /// The body of a function of the right type.
    Body(&'static str),
    /// Whatever stands for the export.
    Whole(&'static str),
}

#[derive(Clone, Copy)]
enum Entry {
    Body(&'static str),
    Whole(&'static str),
}

/// Two pages that the module makes itself.
const MEMORY: &str = r#"(memory (export "memory") 2)"#;

/// The same two pages, made by the host.
const IMPORTED_MEMORY: &str = r#"(import "env" "memory" (memory 2))"#;

/// The input is the output.
const ECHO: &str = "(call $pack (local.get $ptr) (local.get $len))";

/// Hands out memory from address 4096 up, 8-byte aligned, and never takes any back.
const BUMP: &str = "(local.set $at (global.get $top))
    (global.set $top (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (local.get $at)";

/// A runtime that owns its heap, with the entry point `run` that returns its input.
pub(crate) const V1: Wat = Wat {
    imports: "",
    memory: MEMORY,
    marker: r#"(func (export "v1"))"#,
    alloc: Alloc::Body(BUMP),
    dealloc: r#"(func (export "dealloc") (param i32 i32))"#,
    realloc: r#"(func (export "realloc") (param i32 i32 i32) (result i32) (i32.const 0))"#,
    heap_base: "",
    entry: Entry::Body(ECHO),
    rest: "",
};

/// A runtime whose heap is the host's, from 4096 up, with the entry point `run` that returns its input.
pub(crate) const LEGACY: Wat = Wat {
    marker: "",
    alloc: Alloc::Whole(""),
    dealloc: "",
    realloc: "",
    heap_base: r#"(global (export "__heap_base") i32 (i32.const 4096))"#,
    ..V1
};

impl Wat {
    pub(crate) const fn imports(self, imports: &'static str) -> Self {
        Wat { imports, ..self }
    }

    pub(crate) const fn memory(self, memory: &'static str) -> Self {
        Wat { memory, ..self }
    }

    pub(crate) const fn marker(self, marker: &'static str) -> Self {
        Wat { marker, ..self }
    }

    /// The body of `alloc`; `$size` is asked for, `$at` a spare local, `$top` the end of what is handed out.
    pub(crate) const fn alloc(self, body: &'static str) -> Self {
        Wat { alloc: Alloc::Body(body), ..self }
    }

    /// Something else in the place of `alloc`.
    pub(crate) const fn instead_of_alloc(self, text: &'static str) -> Self {
        Wat { alloc: Alloc::Whole(text), ..self }
    }

    pub(crate) const fn dealloc(self, dealloc: &'static str) -> Self {
        Wat { dealloc, ..self }
    }

    pub(crate) const fn realloc(self, realloc: &'static str) -> Self {
        Wat { realloc, ..self }
    }

    pub(crate) const fn heap_base(self, heap_base: &'static str) -> Self {
        Wat { heap_base, ..self }
    }

    /// The body of the entry point `run`; `$ptr` and `$len` are its input.
    pub(crate) const fn entry(self, body: &'static str) -> Self {
        Wat { entry: Entry::Body(body), ..self }
    }

    /// Something else in the place of the entry point.
    pub(crate) const fn instead_of_entry(self, text: &'static str) -> Self {
        Wat { entry: Entry::Whole(text), ..self }
    }

    pub(crate) const fn rest(self, rest: &'static str) -> Self {
        Wat { rest, ..self }
    }

    /// The module in binary form: once as it is and, unless the memory is what the test is about, once with an imported
    /// memory.
    pub(crate) fn binaries(&self) -> Vec<Vec<u8>> {
        let binary = |text: String| wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let mut binaries = vec![binary(self.to_string())];
        if self.memory == MEMORY && !self.imports.contains("(memory") {
            let imports = format!("{}\n  {IMPORTED_MEMORY}", self.imports);
            binaries.push(binary(self.text(&imports, "")));
        }
        binaries
    }

    fn text(&self, imports: &str, memory: &str) -> String {
        let Wat { marker, dealloc, realloc, heap_base, rest, .. } = self;
        let alloc = match self.alloc {
            Alloc::Body(body) => format!(
                r#"(func $alloc (export "alloc") (param $size i32) (result i32) (local $at i32)
    {body})"#
            ),
            Alloc::Whole(text) => text.to_owned(),
        };
        let entry = match self.entry {
            Entry::Body(body) => format!(
                r#"(func $run (export "run") (param $ptr i32) (param $len i32) (result i64) (local $at i32)
    {body})"#
            ),
            Entry::Whole(text) => text.to_owned(),
        };
        format!(
            "(module
  {imports}
  {memory}
  {heap_base}
  {marker}
  (global $top (mut i32) (i32.const 4096))
  (func $end (result i32) (i32.shl (memory.size) (i32.const 16)))
  (func $pack (param $ptr i32) (param $len i32) (result i64)
    (i64.or (i64.extend_i32_u (local.get $ptr)) (i64.shl (i64.extend_i32_u (local.get $len)) (i64.const 32))))
  {alloc}
  {dealloc}
  {realloc}
  {entry}
  {rest})"
        )
    }
}

impl fmt::Display for Wat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(self.imports, self.memory))
    }
}
