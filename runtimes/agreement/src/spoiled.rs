//! Everything that can be wrong with a block, each way by its name.
//!
//! - [`Fault`]: an extrinsic that is refused
//! - [`Garbled`]: an extrinsic that does not decode
//! - [`Spoil`]: a block that is refused for its header, its order, its encoding or the state it runs on

mod block;
mod fault;
mod garbled;

pub use block::{Spoil, Spoiled};
pub use fault::Fault;
pub use garbled::Garbled;

/// An enum that knows all of its variants.
macro_rules! named {
    ($(#[$attr:meta])* pub enum $name:ident { $($(#[$about:meta])* $variant:ident),* $(,)? }) => {
        $(#[$attr])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$about])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),*];
        }
    };
}
use named;
