// How points lie: in groups of 64 rows, dimension by dimension, four rows a vector: [group][dimension][row / 4].
// Neighbouring invocations read neighbouring vectors, and tiles hold them as they come. The last group is filled up
// with rows of zeros.
// Stands on: points_f32.wgsl or points_f16.wgsl, which say what a vector in memory is.

const GROUP_QUADS = 16u;

// Where a dimension of four rows is, the first of which is row 4 · quad.
fn four_at(quad: u32, dim: u32, dims: u32) -> u32 {
    return (quad / GROUP_QUADS * dims + dim) * GROUP_QUADS + quad % GROUP_QUADS;
}
