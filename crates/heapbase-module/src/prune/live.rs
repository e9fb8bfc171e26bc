//! What a module can reach, beginning at what its host can.

use crate::inspect::{Feature, proposal};
use crate::pass::{Parts, PassError, counted};
use wasmparser::{
    BlockType, ConstExpr, ElementItems, ElementKind, ExternalKind, Operator, RefType, TableInit, TypeRef, ValType,
};

/// Functions, globals and types by their index: whether anything reaches them.
pub(super) struct Live {
    pub(super) functions: Vec<bool>,
    pub(super) globals: Vec<bool>,
    /// All where types refer to each other, or values to types.
    pub(super) types: Vec<bool>,
    /// How many `call_indirect` and the like are in functions that stay.
    pub(super) indirect_calls: usize,
    /// Whether anything but a call uses a table.
    pub(super) uses_tables: bool,
    to_read: Vec<u32>,
    globals_to_read: Vec<u32>,
    types_move: bool,
    all: bool,
}

/// Finds what is reached.
pub(super) fn find(parts: &Parts<'_>, exports: &[bool]) -> Result<Live, PassError> {
    let mut live = Live {
        functions: vec![false; parts.functions.len()],
        globals: vec![false; parts.global_types.len()],
        types: vec![false; parts.types.len()],
        indirect_calls: 0,
        uses_tables: false,
        to_read: Vec::new(),
        globals_to_read: Vec::new(),
        types_move: true,
        all: false,
    };
    for ((_, export), _) in parts.exports.iter().zip(exports).filter(|(_, stays)| **stays) {
        match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => live.function(export.index),
            ExternalKind::Global => live.global(export.index),
            ExternalKind::Table | ExternalKind::Memory | ExternalKind::Tag => {}
        }
    }
    parts.start.into_iter().for_each(|start| live.function(start));
    live.declared(parts)?;
    live.segments(parts)?;
    loop {
        if let Some(function) = live.to_read.pop() {
            live.body(parts, function)?;
        } else if let Some(global) = live.globals_to_read.pop() {
            live.value_of(parts, global)?;
        } else {
            break;
        }
    }
    for (index, stays) in live.functions.iter().enumerate() {
        if *stays && let Some(ty) = parts.functions.get(index) {
            set(&mut live.types, *ty);
        }
    }
    if !live.types_move {
        live.types.fill(true);
    }
    Ok(live)
}

fn set(list: &mut [bool], index: u32) -> bool {
    match list.get_mut(index as usize) {
        Some(item) if !*item => {
            *item = true;
            true
        }
        _ => false,
    }
}

impl Live {
    fn function(&mut self, index: u32) {
        if set(&mut self.functions, index) {
            self.to_read.push(index);
        }
    }

    fn global(&mut self, index: u32) {
        if set(&mut self.globals, index) {
            self.globals_to_read.push(index);
        }
    }

    fn value(&mut self, ty: ValType) {
        self.types_move &= match ty {
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => true,
            ValType::Ref(ty) => [RefType::FUNCREF, RefType::EXTERNREF].contains(&ty),
        };
    }

    /// What types and imports say.
    fn declared(&mut self, parts: &Parts<'_>) -> Result<(), PassError> {
        for (index, ty) in parts.types.iter().enumerate() {
            self.types_move &= ty.plain;
            if let Some(ty) = parts.ty(index as u32) {
                ty.params().iter().chain(ty.results()).for_each(|ty| self.value(*ty));
            }
        }
        for (_, import) in &parts.imports {
            // Their types are written with the tag; so exact imports and tags keep all.
            self.types_move &= !matches!(import.ty, TypeRef::Tag(_) | TypeRef::FuncExact(_));
        }
        self.types_move &= parts.sections.iter().all(|section| section.kind != crate::SectionKind::Tag);
        parts.table_types.iter().for_each(|ty| self.value(ValType::Ref(ty.element_type)));
        parts.global_types.iter().for_each(|ty| self.value(ty.content_type));
        for (_, table) in &parts.tables {
            if let TableInit::Expr(expression) = &table.init {
                self.expression(expression)?;
            }
        }
        Ok(())
    }

    fn segments(&mut self, parts: &Parts<'_>) -> Result<(), PassError> {
        for element in &parts.elements {
            if let ElementKind::Active { offset_expr, .. } = &element.kind {
                self.expression(offset_expr)?;
            }
            match &element.items {
                ElementItems::Functions(list) => {
                    for function in list.clone() {
                        self.function(function?);
                    }
                }
                ElementItems::Expressions(ty, list) => {
                    self.value(ValType::Ref(*ty));
                    for expression in list.clone() {
                        self.expression(&expression?)?;
                    }
                }
            }
        }
        for data in &parts.data {
            if let wasmparser::DataKind::Active { offset_expr, .. } = &data.kind {
                self.expression(offset_expr)?;
            }
        }
        Ok(())
    }

    /// Reads the first value of a global, which may name functions and other globals.
    fn value_of(&mut self, parts: &Parts<'_>, global: u32) -> Result<(), PassError> {
        let own = global.checked_sub(parts.imported_globals()).and_then(|own| parts.globals.get(own as usize));
        own.map_or(Ok(()), |(_, global)| self.expression(&global.init_expr))
    }

    fn expression(&mut self, expression: &ConstExpr<'_>) -> Result<(), PassError> {
        for operator in expression.get_operators_reader() {
            self.operator(&operator?);
        }
        Ok(())
    }

    fn body(&mut self, parts: &Parts<'_>, function: u32) -> Result<(), PassError> {
        let own = function.checked_sub(parts.imported_functions).and_then(|own| parts.bodies.get(own as usize));
        let Some(body) = own else { return Ok(()) };
        for local in body.get_locals_reader()? {
            self.value(local?.1);
        }
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            self.operator(&operator);
        }
        Ok(())
    }

    fn operator(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                self.function(*function_index);
            }
            Operator::RefFunc { function_index } => self.function(*function_index),
            Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => self.global(*global_index),
            Operator::CallIndirect { type_index, .. } => {
                set(&mut self.types, *type_index);
                self.indirect_calls += 1;
            }
            Operator::ReturnCallIndirect { type_index, .. } => {
                set(&mut self.types, *type_index);
                self.indirect_calls += 1;
            }
            Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => match blockty {
                BlockType::FuncType(ty) => drop(set(&mut self.types, *ty)),
                BlockType::Type(ty) => self.value(*ty),
                BlockType::Empty => {}
            },
            Operator::TypedSelect { ty } => self.value(*ty),
            Operator::RefNull { hty } => {
                self.value(ValType::Ref(RefType::new(true, *hty).unwrap_or(RefType::ANYREF)));
            }
            Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableSize { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. } => self.uses_tables = true,
            other => {
                // Whatever these name is not looked for one by one.
                if let Some(
                    Feature::FunctionReferences
                    | Feature::Gc
                    | Feature::Exceptions
                    | Feature::LegacyExceptions
                    | Feature::StackSwitching
                    | Feature::SharedEverythingThreads
                    | Feature::CustomDescriptors,
                ) = proposal(other)
                {
                    self.everything();
                }
            }
        }
    }

    /// Keeps all there is.
    fn everything(&mut self) {
        if !self.all {
            self.all = true;
            self.types_move = false;
            self.uses_tables = true;
            (0..self.globals.len() as u32).for_each(|global| self.global(global));
            (0..self.functions.len() as u32).for_each(|function| self.function(function));
        }
    }

    /// What goes, as sentences.
    pub(super) fn sentences(&self, parts: &Parts<'_>) -> Vec<String> {
        let mut all = Vec::new();
        let own = self.functions.iter().skip(parts.imported_functions as usize).zip(&parts.bodies);
        let dead: Vec<usize> = own.filter(|(live, _)| !**live).map(|(_, body)| body.as_bytes().len()).collect();
        if !dead.is_empty() {
            all.push(format!(
                "took out {} that nothing reaches, {} bytes",
                counted(dead.len(), "function", "functions"),
                dead.iter().sum::<usize>()
            ));
        }
        let (mut function, mut global) = (0, 0);
        for (_, import) in &parts.imports {
            match import.ty {
                TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                    if self.functions.get(function) == Some(&false) {
                        let name = format!("{}.{}", import.module, import.name);
                        all.push(format!("took out the import `{name}`, which nothing calls"));
                    }
                    function += 1;
                }
                TypeRef::Global(_) => {
                    if self.globals.get(global) == Some(&false) {
                        let name = format!("{}.{}", import.module, import.name);
                        all.push(format!("took out the import `{name}`, which nothing reads"));
                    }
                    global += 1;
                }
                _ => {}
            }
        }
        let globals = self.globals.iter().skip(global).filter(|live| !**live).count();
        if globals > 0 {
            all.push(format!("took out {} that nothing uses", counted(globals, "global", "globals")));
        }
        let types = self.types.iter().filter(|live| !**live).count();
        if types > 0 {
            all.push(format!("took out {} that nothing has", counted(types, "type", "types")));
        }
        all
    }
}
