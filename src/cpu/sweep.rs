//! Blocks on all threads, and their results in one order.

use rayon::prelude::*;

use super::{
    float::Float,
    pack::{Pool, Scratch},
    sets::Sets,
};
use crate::{error::Result, progress::Watch, schedule::Block};

/// How many blocks are handed out at a time: what bounds the memory of their results.
const BATCH: usize = 256;

/// Does `one` with every block, and `merge` with what comes of it, in the order of the blocks.
pub(super) fn sweep<T: Float, R: Send>(
    sets: Sets<'_>,
    watch: &Watch<'_>,
    one: impl Fn(&Block, &mut Scratch<T>) -> R + Sync,
    mut merge: impl FnMut(&Block, R),
) -> Result<()> {
    let pool = Pool::new();
    let one = |block: &Block| {
        let result = pool.with(|scratch| one(block, scratch));
        watch.advance(sets.count(block)).map(|()| result)
    };
    let mut blocks = sets.blocks();
    loop {
        let batch: Vec<_> = blocks.by_ref().take(BATCH).collect();
        // A hand-off to other threads takes longer than a single small block.
        let results = match &*batch {
            [] => return Ok(()),
            [block] => vec![one(block)?],
            _ => batch.par_iter().map(one).collect::<Result<_>>()?,
        };
        batch.iter().zip(results).for_each(|(block, result)| merge(block, result));
    }
}
