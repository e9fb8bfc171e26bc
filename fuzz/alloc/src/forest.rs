//! The walk over subsystems, their blocks and their errors: `forest [OPERATIONS]`. Build it with `-Zsanitizer=address`.
//!
//! Their memory is the system's, so the sanitizer poisons what is freed and reports what is left at the end.

#[path = "../../../crates/heapbase/tests/forest/mod.rs"]
mod forest;

use allocator_api2::{alloc::Global, vec::Vec};
use forest::walk;
use heapbase::{
    error::{Category, Error, Kind},
    subsystem::{ManyThreads, OneThread, Shared, Subsystem},
};

static PARTS: Category = Category::new("parts");
static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");

fn main() {
    let mut arguments = std::env::args().skip(1);
    let total = arguments.next().map_or(100_000, |text| text.parse().expect("a number of operations"));
    walk::<OneThread>(total, 500);
    walk::<ManyThreads>(total, 500);
    // The tool itself is tested: each of these must be reported.
    match arguments.next().as_deref() {
        Some("--use-freed") => {
            let part = Shared::new(Subsystem::new("part", Global)).expect("memory");
            let error = Error::build(&BROKEN).message(&part, format_args!("gone"));
            let message = error.message().as_ptr();
            drop(error);
            // SAFETY: not at all; a read of what was freed, for the sanitizer to find.
            println!("{}", unsafe { message.read_volatile() });
        }
        Some("--leak") => {
            let part = Shared::new(Subsystem::new("part", Global)).expect("memory");
            let mut bytes = Vec::new_in(part);
            bytes.push(std::hint::black_box(1u8));
            std::mem::forget(bytes);
        }
        _ => {}
    }
}
