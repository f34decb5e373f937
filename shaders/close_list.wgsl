// The close pairs of some rows of a block, in no order.
// Stands on: shared/pairs.wgsl, shared/row.wgsl.

struct Params {
    first_row: u32,
    cols: u32,
    stride: u32, // from a row of similarities to the next, by fours
    diagonal: u32, // see shared/pairs.wgsl
    above: f32, // squared distance beyond which pairs are listed
    perhaps: f32, // and up to which they are
    room: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<vec4<f32>>; // (rows, 4 · stride): see log_sum/table.wgsl
@group(0) @binding(2) var<storage, read_write> listed: atomic<u32>;
@group(0) @binding(3) var<storage, read_write> list: array<vec2<u32>>; // (room): row and column in the block

@compute @workgroup_size(64)
fn close_list(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.first_row + group.x;
    for (var quad = lane; quad < (params.cols + 3u) / 4u; quad += LANES) {
        let cols = 4u * quad + vec4(0u, 1u, 2u, 3u);
        let counted = (cols < vec4(params.cols)) & counted_pairs(params.diagonal, row, cols);
        let squares = -table[row * params.stride + quad];
        let close = counted & (squares > vec4(params.above)) & (squares <= vec4(params.perhaps));
        if close.x { append(row, cols.x); }
        if close.y { append(row, cols.y); }
        if close.z { append(row, cols.z); }
        if close.w { append(row, cols.w); }
    }
}

fn append(row: u32, col: u32) {
    let place = atomicAdd(&listed, 1u);
    if place < params.room {
        list[place] = vec2(row, col);
    }
}
