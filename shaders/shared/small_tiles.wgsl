// Tiles of 64 × 64, by 16 × 16 invocations of 4 × 4 each, for kernels that hold much else in registers.

const TILE = 64u;
const QUADS = 16u;

// Workgroup memory of what lies [depth][by fours]: 16 deep, each depth a vector longer than needed, lest all invocations
// store to the same banks.
const DEPTH = 16u;
const STRIDE = QUADS + 1u;
const STAGE = DEPTH * STRIDE;

// The same of what lies as points do, four rows a vector: [row / 4][dimension], two vectors longer than needed.
const FOURS = DEPTH / 4u;
const WIDE = TILE + 2u;
const STAGE_BY_FOURS = FOURS * WIDE;

// Where an invocation puts the vector that it brings to such a stage: neighbours bring neighbours of memory.
fn slot_by_fours(lane: u32) -> u32 {
    return lane % FOURS * WIDE + lane / FOURS;
}
