//! What an instance may grow to, and which growth was refused.

use crate::error::RefusedGrowth;

/// Bounds memory and tables of one call, on both engines, and remembers the last time that memory was not granted: an
/// allocator that traps then cannot say so itself.
pub(crate) struct Limits {
    memory_bytes: usize,
    table_elements: usize,
    pub(crate) refused: Option<RefusedGrowth>,
}

impl Limits {
    /// `pages` of memory (64 KiB each) and `table_elements` in each table, at most.
    pub(crate) fn new(pages: u64, table_elements: usize) -> Self {
        Limits { memory_bytes: (pages * crate::WASM_PAGE) as usize, table_elements, refused: None }
    }

    fn memory(&mut self, current: usize, desired: usize, declared: Option<usize>) -> bool {
        let most = declared.map_or(self.memory_bytes, |declared| declared.min(self.memory_bytes));
        if desired <= most {
            return true;
        }
        let pages = |bytes: usize| (bytes as u64 / crate::WASM_PAGE) as u32;
        self.refused =
            Some(RefusedGrowth { pages: pages(current), additional: pages(desired - current), limit: pages(most) });
        false
    }

    fn table(&self, desired: usize) -> bool {
        desired <= self.table_elements
    }
}

impl sp_wasm_interface::wasmtime::ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> sp_wasm_interface::wasmtime::Result<bool> {
        Ok(self.memory(current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> sp_wasm_interface::wasmtime::Result<bool> {
        Ok(self.table(desired))
    }
}

impl wasmi::ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, wasmi_core::LimiterError> {
        Ok(self.memory(current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, wasmi_core::LimiterError> {
        Ok(self.table(desired))
    }

    // A call makes one instance of one module, which validation has bounded.
    fn instances(&self) -> usize {
        usize::MAX
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        usize::MAX
    }
}
