//! Whether instantiating runs into an import.

use super::source::Source;
use wasmparser::Operator;

/// Whether the start function may call an imported function. What is called through tables and references is not followed, and
/// counts as one.
pub(super) fn reaches_imports(source: &Source<'_>) -> bool {
    let Some(start) = source.start else { return false };
    let imported = source.functions.len();
    let mut seen = vec![false; source.bodies.len()];
    let mut waiting = vec![start];
    while let Some(function) = waiting.pop() {
        let Some(own) = (function as usize).checked_sub(imported) else { return true };
        let (Some(body), Some(seen)) = (source.bodies.get(own), seen.get_mut(own)) else { return true };
        if std::mem::replace(seen, true) {
            continue;
        }
        let Ok(operators) = body.get_operators_reader() else { return true };
        for operator in operators {
            match operator {
                Ok(Operator::Call { function_index } | Operator::ReturnCall { function_index }) => {
                    waiting.push(function_index);
                }
                Ok(
                    Operator::CallIndirect { .. }
                    | Operator::ReturnCallIndirect { .. }
                    | Operator::CallRef { .. }
                    | Operator::ReturnCallRef { .. },
                )
                | Err(_) => return true,
                Ok(_) => {}
            }
        }
    }
    false
}
