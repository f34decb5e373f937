//! Blocks of pairs: rows packed, tiles of similarities computed, and each tile given to an epilogue.

pub(crate) mod cache;
pub(crate) mod formula;
pub(crate) mod mainloop;
pub(crate) mod map;
pub(crate) mod microkernel;
pub(crate) mod pack;
pub(crate) mod similarities;
pub(crate) mod table;
