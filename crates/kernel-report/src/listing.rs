//! A listing of machine code: its instructions and its loops.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

/// What an instruction is to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A multiply-add of vectors, or a product of matrices.
    Product,
    /// Any other arithmetic of vectors.
    Vector,
    WorkgroupRead,
    WorkgroupWrite,
    Load,
    Store,
    Branch,
    Wait,
    /// Scalar arithmetic, loads of constants, hints, barriers.
    Scalar,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) kind: Kind,
    /// Products of matrices take many multiply-adds each.
    pub(crate) by_matrix: bool,
    /// Loads that may be under way after it, where it waits for loads.
    pub(crate) loads_left: Option<usize>,
    /// Nothing is run behind it but where a branch jumps to.
    is_last: bool,
    /// It begins the other side of a condition: those invocations go on that have waited.
    turns: bool,
}

/// A range of instructions, the last of which jumps to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loop {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Loop {
    pub(crate) fn holds(self, other: Self) -> bool {
        self != other && self.start <= other.start && other.end <= self.end
    }
}

#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) loops: Vec<Loop>,
    /// Where branches jump to, by where they stand.
    jumps: BTreeMap<usize, usize>,
}

impl Listing {
    /// Reads a listing as LLVM writes it: an instruction or a label a line, comments behind a semicolon.
    ///
    /// # Errors
    ///
    /// The line that is none of them, or a branch to no label.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (mut instructions, mut labels, mut jumps) = (Vec::new(), BTreeMap::new(), Vec::new());
        for line in text.lines() {
            let line = line.split(';').next().unwrap_or_default().trim();
            if let Some(label) = line.strip_suffix(':') {
                labels.insert(label, instructions.len());
                continue;
            }
            // Remarks on repeated words of padding behind the end.
            if line.is_empty() || line.starts_with('(') {
                continue;
            }
            // Two operations that are issued at once are written with `::` between them.
            for operation in line.split("::") {
                let instruction = Instruction::read(operation.trim())?;
                if instruction.kind == Kind::Branch {
                    let target = operation.split_whitespace().nth(1);
                    jumps.push((instructions.len(), target.ok_or_else(|| format!("no target: {line}"))?));
                }
                instructions.push(instruction);
            }
        }
        let mut loops: BTreeMap<usize, usize> = BTreeMap::new();
        let mut targets = BTreeMap::new();
        for (at, label) in jumps {
            let &target = labels.get(label).ok_or_else(|| format!("no label {label}"))?;
            targets.insert(at, target);
            if target <= at {
                // Several jumps to one place are rounds of one loop.
                let end = loops.entry(target).or_default();
                *end = at.max(*end);
            }
        }
        let loops = loops.into_iter().map(|(start, end)| Loop { start, end }).collect();
        Ok(Self { instructions, loops, jumps: targets })
    }

    /// The other side of the condition that an instruction stands under, where it is the first side and nothing is computed or
    /// written before the second. A subgroup whose invocations all take the first jumps over it.
    pub(crate) fn other_side(&self, at: usize) -> Range<usize> {
        let ends = [Kind::Product, Kind::WorkgroupWrite, Kind::Store];
        let behind = |at: usize| at + 1..self.instructions.len();
        let turn =
            behind(at).find(|&at| self.instructions[at].turns || ends.contains(&self.instructions[at].kind));
        let turn = turn.filter(|&at| self.instructions[at].turns);
        let branch = turn.and_then(|at| behind(at).find(|&at| self.instructions[at].kind == Kind::Branch));
        branch.and_then(|branch| Some(branch + 1..*self.jumps.get(&branch)?)).unwrap_or_default()
    }

    /// The least number of branches that a way meets, one after the other, from the first instruction to an end, by another
    /// instruction where one is asked for; none where no way leads there.
    pub(crate) fn least_branches(&self, by: Option<usize>) -> Option<usize> {
        let from = by.unwrap_or_default();
        let met = *self.branches_from(0).get(&from)?;
        let is_end =
            |at: usize| self.instructions.get(at).is_none_or(|one| one.is_last && one.kind != Kind::Branch);
        let ends = self.branches_from(from).into_iter().filter(|&(at, _)| is_end(at));
        Some(met + ends.map(|(_, branches)| branches).min()?)
    }

    /// The least number of branches on the way from an instruction to every one that it leads to. A branch counts where it is left.
    fn branches_from(&self, from: usize) -> BTreeMap<usize, usize> {
        let (mut least, mut next) = (BTreeMap::new(), VecDeque::from([(from, 0)]));
        // In the order of their numbers, as what a branch leads to comes last.
        while let Some((at, met)) = next.pop_front() {
            if least.contains_key(&at) {
                continue;
            }
            least.insert(at, met);
            let Some(instruction) = self.instructions.get(at) else { continue };
            let is_branch = instruction.kind == Kind::Branch;
            if let Some(&target) = self.jumps.get(&at) {
                next.push_back((target, met + 1));
            }
            match (instruction.is_last, is_branch) {
                (true, _) => {}
                (false, true) => next.push_back((at + 1, met + 1)),
                (false, false) => next.push_front((at + 1, met)),
            }
        }
        least
    }

    pub(crate) fn of(&self, part: Loop) -> &[Instruction] {
        &self.instructions[part.start..=part.end]
    }
}

impl Instruction {
    fn read(text: &str) -> Result<Self, String> {
        let name = text.split_whitespace().next().unwrap_or_default();
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let operation = name.strip_prefix("v_dual_").or_else(|| name.strip_prefix("v_"));
        let by_matrix = starts(&["v_wmma_", "v_swmmac_"]);
        let kind = if let Some(operation) = operation {
            let multiplies = ["fma_", "fmac_", "fmaak_", "fmamk_", "pk_fma_", "pk_fmac_", "fma_mix", "dot2"];
            if by_matrix || multiplies.iter().any(|prefix| operation.starts_with(prefix)) {
                Kind::Product
            } else {
                Kind::Vector
            }
        } else if starts(&["ds_read", "ds_load"]) {
            Kind::WorkgroupRead
        } else if starts(&["ds_"]) {
            Kind::WorkgroupWrite
        } else if starts(&["buffer_", "global_", "flat_", "scratch_"]) {
            if name.contains("_load_") { Kind::Load } else { Kind::Store }
        } else if starts(&["s_branch", "s_cbranch"]) {
            Kind::Branch
        } else if starts(&["s_wait"]) {
            Kind::Wait
        } else if starts(&["s_"]) {
            Kind::Scalar
        } else {
            return Err(format!("no instruction is known that starts like this: {text}"));
        };
        let loads_left = if kind == Kind::Wait { loads_left(name, text)? } else { None };
        let turns = starts(&["s_andn2_b64", "s_and_not1_b64"]) && text.contains(" exec, -1, exec");
        Ok(Self { kind, by_matrix, loads_left, is_last: ["s_branch", "s_endpgm"].contains(&name), turns })
    }
}

/// How many loads a wait lets be under way; none where it waits for other things.
fn loads_left(name: &str, text: &str) -> Result<Option<usize>, String> {
    let bad = || format!("no count is known in this wait: {text}");
    // RDNA 2 and 3 name the counters of one instruction.
    if name == "s_waitcnt" {
        let Some((_, rest)) = text.split_once("vmcnt(") else { return Ok(None) };
        let count = rest.split(')').next().ok_or_else(bad)?;
        return count.parse().map(Some).map_err(|_| bad());
    }
    // RDNA 4 has an instruction for each, and one for two of them: loads in the upper byte.
    let shift = match name {
        "s_wait_loadcnt" => 0,
        "s_wait_loadcnt_dscnt" => 8,
        _ => return Ok(None),
    };
    let count = text.split_whitespace().nth(1).ok_or_else(bad)?;
    let digits = count.strip_prefix("0x").ok_or_else(bad)?;
    usize::from_str_radix(digits, 16).map(|count| Some(count >> shift)).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        Listing::read(text).unwrap().instructions.into_iter().map(|one| one.kind).collect()
    }

    #[test]
    fn both_operations_of_a_pair_are_counted() {
        let pair = "v_dual_fmac_f32 v1, v2, v3 :: v_dual_mov_b32 v4, v5 ; c8100000 01040001";
        assert_eq!(kinds(pair), [Kind::Product, Kind::Vector]);
    }

    #[test]
    fn names_of_all_families_are_known() {
        for (text, kind) in [
            ("v_fma_f32 v1, v2, v3, v4", Kind::Product),
            ("v_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]", Kind::Product),
            ("v_fma_mix_f32 v1, v2, v3, v4", Kind::Product),
            ("v_mul_f32_e32 v1, v2, v3", Kind::Vector),
            ("ds_read_b128 v[0:3], v4", Kind::WorkgroupRead),
            ("ds_load_b128 v[0:3], v4", Kind::WorkgroupRead),
            ("ds_write_b128 v4, v[0:3]", Kind::WorkgroupWrite),
            ("ds_store_b128 v4, v[0:3]", Kind::WorkgroupWrite),
            ("buffer_load_dwordx4 v[0:3], v4, s[0:3], 0 offen", Kind::Load),
            ("buffer_load_b128 v[0:3], v4, s[0:3], null offen", Kind::Load),
            ("buffer_store_b32 v0, v4, s[0:3], null offen", Kind::Store),
            ("s_buffer_load_b32 s0, s[0:3], 0x0", Kind::Scalar),
            ("s_waitcnt lgkmcnt(0)", Kind::Wait),
            ("s_wait_kmcnt 0x0", Kind::Wait),
            ("s_barrier", Kind::Scalar),
        ] {
            assert_eq!(kinds(text), [kind], "{text}");
        }
    }

    #[test]
    fn waits_tell_how_many_loads_they_leave() {
        for (text, left) in [
            ("s_waitcnt vmcnt(3)", Some(3)),
            ("s_waitcnt vmcnt(0) lgkmcnt(1)", Some(0)),
            ("s_waitcnt lgkmcnt(0)", None),
            ("s_wait_loadcnt 0x10", Some(16)),
            ("s_wait_loadcnt_dscnt 0x302", Some(3)),
            ("s_wait_dscnt 0x0", None),
        ] {
            assert_eq!(Listing::read(text).unwrap().instructions[0].loads_left, left, "{text}");
        }
    }

    #[test]
    fn jumps_back_are_loops_and_others_are_not() {
        let text = "BB0:\n s_nop 0\nBB1:\n s_cbranch_scc1 BB4\nBB2:\n s_nop 0\n s_cbranch_scc0 BB2\n\
                    s_cbranch_scc0 BB1\n s_branch BB1\nBB4:\n s_endpgm";
        let loops = Listing::read(text).unwrap().loops;
        assert_eq!(loops, [Loop { start: 1, end: 5 }, Loop { start: 2, end: 3 }]);
        assert!(loops[0].holds(loops[1]) && !loops[1].holds(loops[0]) && !loops[0].holds(loops[0]));
    }

    #[test]
    fn the_least_branches_are_those_of_a_way_and_not_of_all() {
        // Three guards, jumped over by one branch, behind a loop.
        let text = "BB0:\n s_cbranch_scc1 BB2\n s_nop 0\nBB1:\n v_fmac_f32_e32 v1, v2, v3\n s_cbranch_scc1 BB1\n\
                    BB2:\n s_cbranch_scc0 BB6\n s_cbranch_execz BB3\n s_nop 0\nBB3:\n s_cbranch_execz BB4\n s_nop 0\n\
                    BB4:\n s_cbranch_execz BB5\n s_nop 0\nBB5:\n s_branch BB7\nBB6:\n s_nop 0\nBB7:\n s_endpgm";
        let listing = Listing::read(text).unwrap();
        // Into the loop, out of it, and over the guards.
        assert_eq!(listing.loops, [Loop { start: 2, end: 3 }]);
        assert_eq!(listing.least_branches(Some(2)), Some(3));
        assert_eq!(listing.least_branches(None), Some(2), "past the loop and the guards");
        assert_eq!(
            listing.least_branches(Some(7)),
            Some(6),
            "the second of the guards is run, and all three are met"
        );
    }

    #[test]
    fn a_way_that_ends_nowhere_has_no_branches() {
        let listing = Listing::read("BB0:\n s_nop 0\n s_branch BB0\n s_nop 1\n s_endpgm").unwrap();
        assert_eq!(listing.least_branches(None), None);
        assert_eq!(listing.least_branches(Some(2)), None);
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for text in ["w_add v1, v2", "s_branch BB7", "s_branch", "s_wait_loadcnt many"] {
            assert!(Listing::read(text).is_err(), "{text}");
        }
    }
}
