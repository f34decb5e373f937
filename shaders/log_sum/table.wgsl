// The similarities themselves, for kernels that read a block of them: s − pivot of every pair that counts, and whatever
// is there or 0 of others. For log_sum.wgsl.

@group(0) @binding(5) var<storage, read_write> table: array<vec4<f32>>; // (rows, 4 · stride), rows of whole tiles

@compute @workgroup_size(LANES)
fn similarities_of_pairs(invocation: Invocation) {
    let lane = invocation.lane;
    let at = placed(tile_of_grid(params.first_tile + invocation.group.x), lane);
    var s: Similarities;
    if some_count(at) {
        s = similarities(at, lane);
    }
    keep(s.high.q00, s.low, at);
    if BROAD { keep(s.high.q01, Quad(), beside(at)); }
    if TALL { keep(s.high.q10, Quad(), below(at)); }
    if TALL && BROAD { keep(s.high.q11, Quad(), below(beside(at))); }
}

fn keep(high: Quad, low: Quad, at: Place) {
    let start = at.row * params.stride + at.col / 4u;
    table[start] = relative(high.r0, low.r0);
    table[start + params.stride] = relative(high.r1, low.r1);
    table[start + 2u * params.stride] = relative(high.r2, low.r2);
    table[start + 3u * params.stride] = relative(high.r3, low.r3);
}

fn relative(high: vec4<f32>, low: vec4<f32>) -> vec4<f32> {
    return opaque(high - params.pivot, params.zero) + low;
}
