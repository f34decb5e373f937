//! The loop that a kernel spends its time in.

use crate::listing::{Instruction, Kind, Listing, Loop};

/// Multiply-adds of an invocation that one product of 16 × 16 × 16 matrices by 32 invocations stands for. Only which loop has
/// most work is told by it.
const MULTIPLY_ADDS_OF_A_MATRIX: usize = 128;

/// What its rounds consist of, and whether loads are under way while they compute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MainLoop {
    pub(crate) products: usize,
    /// Other instructions of vectors.
    pub(crate) vector: usize,
    pub(crate) workgroup_reads: usize,
    pub(crate) loads: usize,
    pub(crate) scalar: usize,
    pub(crate) branches: usize,
    pub(crate) waits: usize,
    /// Products among all instructions, in 1/1000.
    pub(crate) share_of_all: usize,
    /// The least part of a stage's products that stand between one of its loads and the wait for it, in 1/1000: at 0, nothing
    /// is computed while a load is under way. A stage is a round of the innermost loop, the main one or around it, that loads;
    /// none where it loads nothing for workgroup memory.
    pub(crate) ahead: Option<usize>,
}

impl MainLoop {
    /// The innermost loop with most products; none of a listing without any.
    pub(crate) fn of(listing: &Listing) -> Option<Self> {
        let main = place(listing)?;
        let rounds = listing.of(main);
        let count = |kind| rounds.iter().filter(|instruction| instruction.kind == kind).count();
        Some(Self {
            products: count(Kind::Product),
            vector: count(Kind::Vector),
            workgroup_reads: count(Kind::WorkgroupRead),
            loads: count(Kind::Load),
            scalar: count(Kind::Scalar),
            branches: count(Kind::Branch),
            waits: count(Kind::Wait),
            share_of_all: per_mille(count(Kind::Product), rounds.len()),
            ahead: stage(listing, main).and_then(|stage| ahead(listing, stage)),
        })
    }

    /// Products among the instructions of vectors, in 1/1000.
    pub(crate) fn share_of_vector(&self) -> usize {
        per_mille(self.products, self.products + self.vector)
    }
}

/// The least branches that a subgroup meets on its way through a kernel, by the first product of its main loop. What guards the
/// edges of tiles stands beside that way, where one branch jumps over all of it.
pub(crate) fn branches_on_the_way(listing: &Listing) -> Option<usize> {
    let product = |at: &usize| listing.instructions[*at].kind == Kind::Product;
    let by = place(listing).and_then(|main| (main.start..=main.end).find(product));
    listing.least_branches(by)
}

/// The main loop, where there is one.
fn place(listing: &Listing) -> Option<Loop> {
    let innermost = listing.loops.iter().filter(|&&one| !listing.loops.iter().any(|&other| one.holds(other)));
    // The first of equals.
    let (work, main) = innermost.rev().map(|&one| (work(listing.of(one)), one)).max_by_key(|one| one.0)?;
    (work > 0).then_some(main)
}

fn per_mille(part: usize, whole: usize) -> usize {
    (1000 * part).checked_div(whole).unwrap_or(0)
}

fn work(rounds: &[Instruction]) -> usize {
    let of_one = |one: &Instruction| if one.by_matrix { MULTIPLY_ADDS_OF_A_MATRIX } else { 1 };
    rounds.iter().filter(|one| one.kind == Kind::Product).map(of_one).sum()
}

/// The smallest loop that holds the main one, or is it, and loads.
fn stage(listing: &Listing, main: Loop) -> Option<Loop> {
    let around = listing.loops.iter().filter(|one| **one == main || one.holds(main));
    let loading = around.filter(|&&one| listing.of(one).iter().any(|one| one.kind == Kind::Load));
    loading.min_by_key(|one| one.end - one.start).copied()
}

fn ahead(listing: &Listing, stage: Loop) -> Option<usize> {
    let instructions = listing.of(stage);
    let products = instructions.iter().filter(|one| one.kind == Kind::Product).count();
    if !instructions.iter().any(|one| one.kind == Kind::WorkgroupWrite) {
        return None;
    }
    let loads = (stage.start..=stage.end)
        .filter(|&at| listing.instructions[at].kind == Kind::Load && is_staged(listing, stage, at));
    loads.map(|at| per_mille(products_until_awaited(listing, stage, at), products)).min()
}

/// The instructions behind one, round and round.
fn from(stage: Loop, at: usize) -> impl Iterator<Item = usize> {
    (at + 1..=stage.end).chain(stage.start..=at)
}

/// Whether a load is not for a sum in memory, which is stored again before anything is multiplied.
fn is_staged(listing: &Listing, stage: Loop, at: usize) -> bool {
    let ends = [Kind::Product, Kind::WorkgroupWrite, Kind::Store];
    let kinds = from(stage, at).map(|at| listing.instructions[at].kind);
    kinds.into_iter().find(|kind| ends.contains(kind)).is_some_and(|kind| kind != Kind::Store)
}

fn products_until_awaited(listing: &Listing, stage: Loop, at: usize) -> usize {
    let (mut products, mut younger) = (0, 0);
    // What other invocations load and await is not in the way of a subgroup that all takes one side.
    let other_side = listing.other_side(at);
    for instruction in
        from(stage, at).filter(|at| !other_side.contains(at)).map(|at| &listing.instructions[at])
    {
        match instruction.kind {
            Kind::Product => products += 1,
            Kind::Load => younger += 1,
            // Loads arrive in their order.
            Kind::Wait if instruction.loads_left.is_some_and(|left| left <= younger) => break,
            _ => {}
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_loop(listing: &str) -> Option<MainLoop> {
        MainLoop::of(&Listing::read(listing).unwrap())
    }

    #[test]
    fn loads_that_are_awaited_at_once_are_ahead_of_nothing() {
        let found = main_loop(include_str!("../listings/rdna2_awaited.s"));
        let expected = MainLoop {
            products: 4,
            vector: 2,
            workgroup_reads: 2,
            loads: 0,
            scalar: 2,
            branches: 2,
            waits: 2,
            share_of_all: 285,
            ahead: Some(0),
        };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn loads_that_are_awaited_behind_the_products_are_ahead_of_all() {
        let found = main_loop(include_str!("../listings/rdna4_ahead.s")).unwrap();
        assert_eq!((found.products, found.vector, found.loads), (6, 1, 2));
        assert_eq!((found.workgroup_reads, found.branches, found.waits), (2, 1, 3));
        assert_eq!(found.share_of_vector(), 857);
        assert_eq!(found.ahead, Some(1000));
    }

    #[test]
    fn a_wait_for_older_loads_does_not_count() {
        // The older of two loads may be awaited while the younger is under way: the wait that lets one be is for the older.
        let listing = include_str!("../listings/rdna4_ahead.s");
        let early = listing.replace("s_wait_dscnt 0x0", "s_wait_loadcnt_dscnt 0x100");
        assert_ne!(early, listing);
        assert_eq!(main_loop(&early).unwrap().ahead, Some(0));
        let harmless = listing.replace("s_wait_dscnt 0x0", "s_wait_loadcnt_dscnt 0x200");
        assert_eq!(main_loop(&harmless).unwrap().ahead, Some(1000));
    }

    #[test]
    fn a_wait_on_the_other_side_of_a_condition_does_not_count() {
        let sides = |between: &str| {
            format!(
                "BB0:\n\ts_cbranch_execz BB2\n\tbuffer_load_dword v1, v8, s[8:11], 0 offen\nBB2:\n{between}\
                 \ts_cbranch_execz BB4\n\ts_waitcnt vmcnt(0)\n\tbuffer_load_dword v1, v9, s[8:11], 0 offen\n\
                 BB4:\n\tv_fmac_f32_e32 v2, v3, v4\n\tv_fmac_f32_e32 v5, v3, v4\n\ts_waitcnt vmcnt(0)\n\
                 \tds_write_b32 v6, v1\n\ts_cbranch_scc1 BB0\n\ts_endpgm"
            )
        };
        let ahead = |between| main_loop(&sides(between)).unwrap().ahead;
        assert_eq!(ahead("\ts_andn2_b64 exec, -1, exec\n"), Some(1000), "RDNA 2");
        assert_eq!(ahead("\ts_and_not1_b64 exec, -1, exec\n"), Some(1000), "RDNA 3 and 4");
        assert_eq!(
            ahead("\ts_mov_b64 exec, vcc\n"),
            Some(0),
            "another condition: the same invocations may take it"
        );
        assert_eq!(ahead("\tds_write_b32 v6, v7\n\ts_andn2_b64 exec, -1, exec\n"), Some(0), "another one");
    }

    #[test]
    fn a_kernel_without_a_main_loop_has_branches_on_its_way() {
        let listing = Listing::read("BB0:\n s_cbranch_execz BB2\n s_nop 0\nBB2:\n s_endpgm").unwrap();
        assert_eq!(branches_on_the_way(&listing), Some(1));
    }

    #[test]
    fn products_of_matrices_outweigh_many_multiply_adds() {
        let found = main_loop(include_str!("../listings/rdna3_matrices.s")).unwrap();
        assert_eq!((found.products, found.vector, found.loads), (2, 0, 1));
        assert_eq!(found.ahead, Some(500), "one of two products stands before the wait");
    }

    #[test]
    fn a_sum_that_is_loaded_and_stored_is_no_stage() {
        let listing = include_str!("../listings/rdna2_awaited.s");
        let kept = "\tbuffer_load_dword v9, v8, s[8:11], 0 offen\n\ts_waitcnt vmcnt(0)\n\tv_add_f32_e32 v9, v9, v1\n\t\
                    buffer_store_dword v9, v8, s[8:11], 0 offen\n\ts_branch BB1";
        let with_sum = listing.replace("\ts_branch BB1 ", kept);
        let staged =
            with_sum.replace("s_waitcnt vmcnt(1)", "s_nop 0").replace("s_waitcnt vmcnt(0)  ", "s_nop 0");
        assert_ne!(with_sum, listing);
        assert_eq!(main_loop(&staged).unwrap().ahead, Some(1000));
    }

    #[test]
    fn a_listing_without_products_in_a_loop_has_no_main_loop() {
        assert_eq!(main_loop("BB0:\n\tv_fmac_f32_e32 v1, v2, v3\n\ts_endpgm\n"), None);
        assert_eq!(main_loop("BB0:\n\tv_add_f32_e32 v1, v2, v3\n\ts_cbranch_scc1 BB0\n"), None);
    }
}
