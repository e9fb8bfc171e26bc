//! The blocks around an instruction, and what a branch to each carries.

use crate::pass::Parts;
use wasmparser::{BlockType, ValType};

/// How values come to a label.
#[derive(Clone, Copy, Debug)]
pub(super) enum Label<'p> {
    /// On the stack: none or one.
    Stack(&'p [ValType]),
    /// In variables.
    Transit(&'p [ValType]),
    /// As results of the function: the first on the stack, the others in globals.
    Results(&'p [ValType]),
}

impl<'p> Label<'p> {
    /// Types of the values.
    pub(super) fn types(self) -> &'p [ValType] {
        match self {
            Self::Stack(types) | Self::Transit(types) | Self::Results(types) => types,
        }
    }
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Block,
    Loop,
    If,
    Else,
}

/// A block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'p> {
    pub(super) kind: Kind,
    pub(super) params: &'p [ValType],
    pub(super) results: &'p [ValType],
}

impl<'p> Frame<'p> {
    /// How values come to its label.
    pub(super) fn label(&self) -> Label<'p> {
        match self.kind {
            Kind::Loop if self.params.is_empty() => Label::Stack(&[]),
            Kind::Loop => Label::Transit(self.params),
            _ if self.results.len() < 2 => Label::Stack(self.results),
            Kind::Function => Label::Results(self.results),
            _ => Label::Transit(self.results),
        }
    }

    /// Whether its results come out of it in variables.
    pub(super) fn transits(&self) -> bool {
        self.kind != Kind::Function && self.results.len() >= 2
    }
}

/// All blocks around an instruction.
pub(super) struct Frames<'p> {
    parts: &'p Parts<'p>,
    list: Vec<Frame<'p>>,
}

impl<'p> Frames<'p> {
    /// Those at the beginning of a function of a type.
    pub(super) fn new(parts: &'p Parts<'p>, ty: u32) -> Self {
        let results = parts.ty(ty).map_or(&[][..], |ty| ty.results());
        Self { parts, list: vec![Frame { kind: Kind::Function, params: &[], results }] }
    }

    /// Parameters and results of a block.
    pub(super) fn signature(&self, ty: BlockType) -> (&'p [ValType], &'p [ValType]) {
        match ty {
            BlockType::Empty => (&[], &[]),
            BlockType::Type(ty) => (&[], one(ty)),
            BlockType::FuncType(ty) => self.parts.ty(ty).map_or((&[], &[]), |ty| (ty.params(), ty.results())),
        }
    }

    /// A block begins.
    pub(super) fn push(&mut self, frame: Frame<'p>) {
        self.list.push(frame);
    }

    /// The innermost block ends.
    pub(super) fn pop(&mut self) -> Option<Frame<'p>> {
        self.list.pop()
    }

    /// The block that a branch of this depth leads to.
    pub(super) fn at(&self, depth: u32) -> Option<&Frame<'p>> {
        self.list.len().checked_sub(depth as usize + 1).and_then(|place| self.list.get(place))
    }

    /// The function itself.
    pub(super) fn function(&self) -> Option<&Frame<'p>> {
        self.list.first()
    }
}

/// A list of one number type that lives as long as the program. Others were refused before.
fn one(ty: ValType) -> &'static [ValType] {
    match ty {
        ValType::I64 => &[ValType::I64],
        ValType::F32 => &[ValType::F32],
        ValType::F64 => &[ValType::F64],
        _ => &[ValType::I32],
    }
}
