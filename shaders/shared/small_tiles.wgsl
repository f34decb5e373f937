// Tiles of 64 × 64, by 16 × 16 invocations of 4 × 4 each, for kernels that hold much else in registers.

const TILE = 64u;
const QUADS = 16u;

// Workgroup memory of what lies [depth][by fours]: 16 deep, each depth a vector longer than needed, lest all invocations
// store to the same banks.
const DEPTH = 16u;
const STRIDE = QUADS + 1u;
const STAGE = DEPTH * STRIDE;
