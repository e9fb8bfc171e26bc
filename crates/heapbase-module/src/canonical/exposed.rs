//! Which results of arithmetic can be seen bit by bit.
//!
//! The operand stack is followed through the function, with what is known of each value: computed by an instruction, read from a
//! variable, or neither. An instruction that may show the bits of what it takes marks where that came from. A variable that is
//! shown anywhere shows all that was ever written to it, from other variables too; that is followed to the end when the function
//! has been read. Control flow is not: it decides only which of those values is there.

use super::operand::{self, Use};
use super::{Seen, operators};
use crate::SectionKind;
use crate::inspect::{Feature, proposal};
use crate::pass::{Parts, PassError};
use std::collections::HashMap;
use wasmparser::{
    BlockType, CompositeInnerType, ContType, FrameKind, FuncType, FunctionBody, ModuleArity, Operator, RefType, SubType,
};

/// What was found in a function.
pub(super) struct Found {
    /// The places at which a NaN has to become canonical, from first to last.
    pub(super) seen: Vec<Seen>,
    /// How many instructions there are that may compute one.
    pub(super) computed: usize,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// Neither of these, or it cannot be a NaN of arithmetic.
    Elsewhere,
    /// The instruction of this number, among those that compute.
    Computed(u32),
    /// This variable.
    Local(u32),
}

/// A block.
struct Frame {
    /// How many values lay on the stack below it.
    height: usize,
    ty: BlockType,
    kind: FrameKind,
}

struct Search<'p, 'a> {
    parts: &'p Parts<'a>,
    stack: Vec<Origin>,
    frames: Vec<Frame>,
    /// Instructions that compute: where each ends, what it gives, whether it is seen.
    computed: Vec<(usize, bool, bool)>,
    /// Variables that are shown, and have not been followed yet or have.
    shown: HashMap<u32, ()>,
    to_follow: Vec<u32>,
    /// What was written to each variable.
    written: HashMap<u32, Vec<Origin>>,
}

/// Looks through a function.
pub(super) fn find(parts: &Parts<'_>, function: u32, body: &FunctionBody<'_>) -> Result<Found, PassError> {
    let mut any = false;
    let mut all = operators(body)?;
    while !any && !all.eof() {
        let operator = all.read()?;
        any = matches!(operand::of(&operator), Use::Computes { .. })
            || proposal(&operator).is_some_and(|feature| !is_known(feature));
    }
    // Most functions.
    if !any {
        return Ok(Found { seen: Vec::new(), computed: 0 });
    }
    let ty = parts.functions.get(function as usize).copied().unwrap_or_default();
    let mut search = Search {
        parts,
        stack: Vec::new(),
        frames: vec![Frame { height: 0, ty: BlockType::FuncType(ty), kind: FrameKind::Block }],
        computed: Vec::new(),
        shown: HashMap::new(),
        to_follow: Vec::new(),
        written: HashMap::new(),
    };
    let mut operators = operators(body)?;
    while !operators.eof() {
        let start = operators.original_position();
        let operator = operators.read()?;
        search.operator(&operator, start, operators.original_position() as usize)?;
    }
    search.follow();
    let seen = search.computed.iter().filter(|(.., seen)| *seen).map(|(end, double, _)| (*end, *double)).collect();
    Ok(Found { seen, computed: search.computed.len() })
}

impl Search<'_, '_> {
    fn pop(&mut self) -> Origin {
        let bottom = self.frames.last().map_or(0, |frame| frame.height);
        // Behind a branch there is nothing, and whatever is needed.
        if self.stack.len() > bottom { self.stack.pop().unwrap_or(Origin::Elsewhere) } else { Origin::Elsewhere }
    }

    /// Takes values that nothing sees.
    fn take(&mut self, count: u8) {
        for _ in 0..count {
            self.pop();
        }
    }

    fn show(&mut self, origin: Origin) {
        match origin {
            Origin::Elsewhere => {}
            Origin::Computed(number) => {
                if let Some((.., seen)) = self.computed.get_mut(number as usize) {
                    *seen = true;
                }
            }
            Origin::Local(local) => {
                if self.shown.insert(local, ()).is_none() {
                    self.to_follow.push(local);
                }
            }
        }
    }

    /// Everything that was written to variables that are shown is shown.
    fn follow(&mut self) {
        while let Some(local) = self.to_follow.pop() {
            for origin in self.written.remove(&local).unwrap_or_default() {
                self.show(origin);
            }
        }
    }

    fn write(&mut self, local: u32, origin: Origin) {
        if !matches!(origin, Origin::Elsewhere) {
            self.written.entry(local).or_default().push(origin);
        }
    }

    fn operator(&mut self, operator: &Operator<'_>, start: u64, end: usize) -> Result<(), PassError> {
        match operand::of(operator) {
            Use::Computes { operands, double } => {
                self.take(operands);
                let number = self.computed.len() as u32;
                self.computed.push((end, double, false));
                self.stack.push(Origin::Computed(number));
            }
            Use::Looks { operands } => {
                self.take(operands);
                self.stack.push(Origin::Elsewhere);
            }
            Use::Signs => {
                let origin = self.pop();
                self.stack.push(origin);
            }
            Use::CopiesSign => {
                let sign = self.pop();
                self.show(sign);
                let origin = self.pop();
                self.stack.push(origin);
            }
            Use::Other => self.other(operator, start)?,
        }
        Ok(())
    }

    fn other(&mut self, operator: &Operator<'_>, start: u64) -> Result<(), PassError> {
        match operator {
            Operator::LocalGet { local_index } => self.stack.push(Origin::Local(*local_index)),
            Operator::LocalSet { local_index } => {
                let origin = self.pop();
                self.write(*local_index, origin);
            }
            Operator::LocalTee { local_index } => {
                let origin = self.pop();
                self.write(*local_index, origin);
                self.stack.push(origin);
            }
            Operator::Drop => self.take(1),
            Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                let (pops, _) = self.arity(operator, start)?;
                self.show_top(pops);
                let kind = match operator {
                    Operator::Loop { .. } => FrameKind::Loop,
                    Operator::If { .. } => FrameKind::If,
                    _ => FrameKind::Block,
                };
                self.frames.push(Frame { height: self.stack.len(), ty: *blockty, kind });
                let params = self.block_type_arity(*blockty).map_or(0, |(params, _)| params);
                (0..params).for_each(|_| self.stack.push(Origin::Elsewhere));
            }
            Operator::Else => {
                let (pops, pushes) = self.arity(operator, start)?;
                self.show_top(pops);
                self.truncate();
                if let Some(frame) = self.frames.last_mut() {
                    frame.kind = FrameKind::Else;
                }
                (0..pushes).for_each(|_| self.stack.push(Origin::Elsewhere));
            }
            Operator::End => {
                let (pops, pushes) = self.arity(operator, start)?;
                self.show_top(pops);
                self.truncate();
                self.frames.pop();
                (0..pushes).for_each(|_| self.stack.push(Origin::Elsewhere));
            }
            Operator::Br { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Unreachable
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => {
                let (pops, _) = self.arity(operator, start)?;
                self.show_top(pops);
                self.truncate();
            }
            _ => {
                if let Some(feature) = proposal(operator)
                    && !is_known(feature)
                {
                    let name = format!("{operator:?}");
                    let name = name.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
                    return Err(PassError::unsupported(
                        format!("the instruction `{name}`"),
                        feature,
                        SectionKind::Code,
                        start,
                        "its NaNs are not looked after; lower the module first, or build it without",
                    ));
                }
                let (pops, pushes) = self.arity(operator, start)?;
                self.show_top(pops);
                (0..pushes).for_each(|_| self.stack.push(Origin::Elsewhere));
            }
        }
        Ok(())
    }

    /// Takes values that are shown.
    fn show_top(&mut self, count: u32) {
        for _ in 0..count {
            let origin = self.pop();
            self.show(origin);
        }
    }

    /// Takes what the innermost block has put on the stack.
    fn truncate(&mut self) {
        let bottom = self.frames.last().map_or(0, |frame| frame.height);
        self.stack.truncate(bottom);
    }

    fn arity(&self, operator: &Operator<'_>, start: u64) -> Result<(u32, u32), PassError> {
        operator
            .operator_arity(self)
            .ok_or_else(|| PassError::Invalid { message: "an instruction out of place".to_owned(), offset: start })
    }
}

/// Whether the stack is followed through the instructions of a proposal, and nothing in it computes a NaN.
fn is_known(feature: Feature) -> bool {
    matches!(
        feature,
        Feature::SignExtension
            | Feature::SaturatingFloatToInt
            | Feature::BulkMemory
            | Feature::ReferenceTypes
            | Feature::TailCall
            | Feature::MultiMemory
            | Feature::MemoryControl
            | Feature::WideArithmetic
            | Feature::Threads
    )
}

impl ModuleArity for Search<'_, '_> {
    fn sub_type_at(&self, index: u32) -> Option<&SubType> {
        self.parts.types.get(index as usize).map(|ty| &ty.ty)
    }

    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }

    fn type_index_of_function(&self, function: u32) -> Option<u32> {
        self.parts.functions.get(function as usize).copied()
    }

    fn func_type_of_cont_type(&self, ty: &ContType) -> Option<&FuncType> {
        let index = ty.0.as_module_index()?;
        match &self.sub_type_at(index)?.composite_type.inner {
            CompositeInnerType::Func(ty) => Some(ty),
            _ => None,
        }
    }

    fn sub_type_of_ref_type(&self, _: &RefType) -> Option<&SubType> {
        None
    }

    fn control_stack_height(&self) -> u32 {
        self.frames.len() as u32
    }

    fn label_block(&self, depth: u32) -> Option<(BlockType, FrameKind)> {
        let place = self.frames.len().checked_sub(depth as usize + 1)?;
        self.frames.get(place).map(|frame| (frame.ty, frame.kind))
    }
}
