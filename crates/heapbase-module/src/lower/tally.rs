//! What was changed, counted.

use crate::pass::counted;

/// How many of each kind.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) copies: usize,
    pub(super) fills: usize,
    /// Copies and fills that were written out.
    pub(super) inlined: usize,
    /// `memory.init` and `data.drop`.
    pub(super) inits: usize,
    pub(super) elem_drop: usize,
    pub(super) table_size: usize,
    pub(super) sign_extension: usize,
    pub(super) saturating: usize,
    pub(super) multi_value: usize,
    /// Instructions and types that are spelt otherwise.
    pub(super) encodings: usize,
    pub(super) constants: usize,
    pub(super) element_segments: usize,
    pub(super) data_segments: usize,
    pub(super) passive_data: usize,
}

impl Tally {
    /// As sentences.
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut say = |count: usize, sentence: &dyn Fn(String) -> String, one: &str, many: &str| {
            if count > 0 {
                all.push(sentence(counted(count, one, many)));
            }
        };
        let bulk = self.copies + self.fills;
        let inlined = self.inlined;
        say(
            bulk,
            &|bulk| {
                format!("lowered bulk-memory: {bulk}, {inlined} of them written out and the others calls of a function")
            },
            "copy or fill",
            "copies and fills",
        );
        say(
            self.inits,
            &|inits| {
                format!("lowered bulk-memory: {inits} of data segments became calls of functions and a global each")
            },
            "copy or drop",
            "copies and drops",
        );
        say(
            self.passive_data,
            &|data| format!("lowered bulk-memory: {data} became code where it is used"),
            "passive data segment",
            "passive data segments",
        );
        say(
            self.sign_extension,
            &|count| format!("lowered sign-extension: {count} became shifts or loads with a sign"),
            "instruction",
            "instructions",
        );
        say(
            self.saturating,
            &|count| format!("lowered saturating-float-to-int: {count} became truncations behind a comparison"),
            "conversion",
            "conversions",
        );
        say(
            self.multi_value,
            &|count| format!("lowered multi-value: {count} pass values in variables or globals"),
            "block or call",
            "blocks and calls",
        );
        say(
            self.encodings,
            &|count| format!("rewrote {count} in the encoding of the first release"),
            "instruction",
            "instructions",
        );
        say(
            self.constants,
            &|count| format!("lowered extended-const: computed {count}"),
            "constant expression",
            "constant expressions",
        );
        say(
            self.element_segments,
            &|count| format!("rewrote or dropped {count} that the first release cannot express"),
            "element segment",
            "element segments",
        );
        say(
            self.elem_drop,
            &|count| format!("dropped {count}, which no instruction could notice"),
            "elem.drop",
            "elem.drop",
        );
        say(self.table_size, &|count| format!("replaced {count} by a number"), "table.size", "table.size");
        say(
            self.data_segments,
            &|count| format!("rewrote {count} in the encoding of the first release"),
            "data segment",
            "data segments",
        );
        all
    }
}
