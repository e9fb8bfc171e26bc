//! What a module uses beyond the first release of WebAssembly, and what a stock node says to it.
//!
//! "Stock node" means `sc-executor` as of 2026 (0.51). It reads every module with `parity-wasm` before the engine sees
//! it, and compiles with wasmtime and most proposals switched off. Of everything below only the import and export of
//! mutable globals passes both: even sign extension and saturating conversions, which wasmtime always allows, fail in
//! the reader as unknown opcodes (192 to 196, and 252). That is why runtimes are compiled for the `mvp` processor.

use serde::{Serialize, Serializer};
use std::fmt;

macro_rules! features {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A proposal that extended WebAssembly after its first release. Displays and serialises as its usual name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Feature {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Feature {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The usual name, in lower case with hyphens.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

features! {
    /// Mutable globals that are imported or exported.
    MutableGlobal = "mutable-global",
    /// `i32.extend8_s` and the like.
    SignExtension = "sign-extension",
    /// `i32.trunc_sat_f32_s` and the like.
    SaturatingFloatToInt = "saturating-float-to-int",
    /// `memory.copy`, `memory.fill`, passive segments, the data count section.
    BulkMemory = "bulk-memory",
    /// Functions and blocks with several results, blocks with parameters.
    MultiValue = "multi-value",
    /// `externref`, several tables, table instructions, and the longer encoding of `call_indirect`.
    ReferenceTypes = "reference-types",
    /// Vectors of 128 bits.
    Simd = "simd",
    /// Vector instructions whose results depend on the machine.
    RelaxedSimd = "relaxed-simd",
    /// Shared memories and atomic instructions.
    Threads = "threads",
    /// `return_call` and the like.
    TailCall = "tail-call",
    /// Arithmetic in constant expressions.
    ExtendedConst = "extended-const",
    /// Memories and tables with 64-bit addresses.
    Memory64 = "memory64",
    /// More than one memory.
    MultiMemory = "multi-memory",
    /// Exceptions with `try_table`.
    Exceptions = "exceptions",
    /// Exceptions with `try` and `catch`, as browsers first had them.
    LegacyExceptions = "legacy-exceptions",
    /// References to functions of a known type.
    FunctionReferences = "function-references",
    /// Structures, arrays, recursive types.
    Gc = "gc",
    /// Pages of other sizes than 64 KiB.
    CustomPageSizes = "custom-page-sizes",
    /// 128-bit sums and products.
    WideArithmetic = "wide-arithmetic",
    /// `memory.discard`.
    MemoryControl = "memory-control",
    /// Continuations.
    StackSwitching = "stack-switching",
    /// Shared tables, globals, functions and references.
    SharedEverythingThreads = "shared-everything-threads",
    /// Atomic accesses with weaker ordering, and `pause`.
    AcquireReleaseAtomics = "acquire-release-atomics",
    /// Types that carry a descriptor, and exact types.
    CustomDescriptors = "custom-descriptors",
    /// Imports that share their module's name or type.
    CompactImports = "compact-imports",
}

impl Feature {
    /// Whether a stock node runs modules that use it.
    pub fn is_accepted_by_stock_nodes(self) -> bool {
        matches!(self, Self::MutableGlobal)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Of how many uses of a feature the places are told.
pub const MOST_OFFSETS: usize = 10_000;

/// The use of one feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FeatureUse {
    /// Which feature.
    pub name: Feature,
    /// In how many instructions, types, segments or declarations it is used.
    pub count: u64,
    /// Byte offset of the first of them.
    pub first_offset: u64,
    /// Byte offset of each of them, ascending; of the [`MOST_OFFSETS`] first ones where there are more.
    pub offsets: Vec<u64>,
    /// Whether a stock node runs modules that use it.
    pub stock_nodes: bool,
}

/// Counts the uses of every feature.
#[derive(Default)]
pub(super) struct Tally {
    uses: [Uses; Feature::ALL.len()],
}

/// How often a feature is used, and where.
#[derive(Clone, Default)]
struct Uses {
    count: u64,
    offsets: Vec<u64>,
}

impl Tally {
    /// Counts one use at `offset`.
    pub(super) fn add(&mut self, feature: Feature, offset: u64) {
        let uses = &mut self.uses[feature as usize];
        uses.count += 1;
        // The module is read from its beginning, but a group of types or imports may be counted behind its members.
        if uses.offsets.len() < MOST_OFFSETS {
            uses.offsets.push(offset);
        }
    }

    /// The features in use, in the order of [`Feature`].
    pub(super) fn uses(&self) -> Vec<FeatureUse> {
        let of = |(&name, uses): (&Feature, &Uses)| {
            let mut offsets = uses.offsets.clone();
            offsets.sort_unstable();
            let first_offset = *offsets.first()?;
            let stock_nodes = name.is_accepted_by_stock_nodes();
            Some(FeatureUse { name, count: uses.count, first_offset, offsets, stock_nodes })
        };
        Feature::ALL.iter().zip(&self.uses).filter_map(of).collect()
    }
}
