//! Reads and rewrites runtime modules.
