// Stages: dimensions that a workgroup holds at a time, DEPTH of them.
// Stands on: params.dims, and DEPTH.

// The first dimension that a stage holds. One that would reach beyond the last dimension begins earlier.
fn first_dim(stage: u32) -> u32 {
    return min(stage * DEPTH, max(params.dims, DEPTH) - DEPTH);
}
