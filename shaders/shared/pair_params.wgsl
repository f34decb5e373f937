// What the host tells the kernels over the pairs of a block.

struct Params {
    rows: u32,
    cols: u32,
    dims: u32,
    diagonal: u32, // see pairs.wgsl
    first_tile: u32,
    first_sum: u32,
    // From a row of weights to the next, by fours: whole tiles.
    stride: u32,
    // What similarities are relative to, where tiles do not find their own.
    pivot: f32,
    // The parts of a Scale.
    scale_high: f32,
    scale_low: f32,
    scale_least: f32,
    zero: u32,
}
