// How many pairs of every row of a block are close: surely, and perhaps.
// Stands on: shared/pairs.wgsl, shared/row.wgsl, shared/tile_sum.wgsl.

struct Params {
    cols: u32,
    stride: u32, // from a row of similarities to the next, by fours
    diagonal: u32, // see shared/pairs.wgsl
    sure: f32, // squared distance up to which pairs are
    perhaps: f32, // and up to which they may be
    first_tile: u32,
    first_sum: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<vec4<f32>>; // (rows, 4 · stride): see log_sum/table.wgsl
@group(0) @binding(2) var<storage, read_write> counts: array<TileSum>; // (rows): both numbers

var<workgroup> parts: array<vec2<u32>, LANES>;

@compute @workgroup_size(64)
fn close_counts(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.first_tile + group.x;
    var sure = vec4(0u);
    var perhaps = vec4(0u);
    for (var quad = lane; quad < (params.cols + 3u) / 4u; quad += LANES) {
        let cols = 4u * quad + vec4(0u, 1u, 2u, 3u);
        let counted = (cols < vec4(params.cols)) & counted_pairs(params.diagonal, row, cols);
        let squares = -table[row * params.stride + quad];
        sure += select(vec4(0u), vec4(1u), counted & (squares <= vec4(params.sure)));
        perhaps += select(vec4(0u), vec4(1u), counted & (squares <= vec4(params.perhaps)));
    }
    perhaps -= sure;
    parts[lane] = vec2(sure.x + sure.y + sure.z + sure.w, perhaps.x + perhaps.y + perhaps.z + perhaps.w);
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        // A row of a block has few enough pairs for f32 to count them.
        counts[params.first_sum + group.x] = TileSum(f32(parts[0].x), f32(parts[0].y));
    }
}
