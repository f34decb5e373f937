// ‖xᵢ−yⱼ‖² of every pair of a block, by direct difference: equal rows are 0 apart, exactly. Tiles of 64 × 64.
// Stands on: shared/grid.wgsl, shared/points.wgsl, shared/quads.wgsl, shared/small_tiles.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    dims: u32,
    first_row: u32, // of these rows in x: a multiple of 4
    offset: u32, // of the block in distances
    stride: u32, // from a row of distances to the next
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (…, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read> y: array<Four>; // (cols, dims)
@group(0) @binding(3) var<storage, read_write> distances: array<f32>;

var<workgroup> left: array<vec4<f32>, STAGE>; // [depth][row / 4]
var<workgroup> right: array<vec4<f32>, STAGE>; // [depth][column / 4]

@compute @workgroup_size(256)
fn squared_distances(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, (params.rows + TILE - 1u) / TILE, (params.cols + TILE - 1u) / TILE);
    var squares: Quad;
    for (var depth = 0u; depth < params.dims; depth += DEPTH) {
        let dim = depth + lane / QUADS;
        left[lane / QUADS * STRIDE + lane % QUADS] = four_of_x(tile.x * QUADS + lane % QUADS, dim);
        right[lane / QUADS * STRIDE + lane % QUADS] = four_of_y(tile.y * QUADS + lane % QUADS, dim);
        workgroupBarrier();
        var part: Quad;
        for (var i = 0u; i < DEPTH; i++) {
            part = quad_squares(part, left[i * STRIDE + lane / QUADS], right[i * STRIDE + lane % QUADS]);
        }
        squares = quad_add(squares, part);
        workgroupBarrier();
    }
    let row = tile.x * TILE + lane / QUADS * 4u;
    let col = tile.y * TILE + lane % QUADS * 4u;
    store(row, col, squares.r0);
    store(row + 1u, col, squares.r1);
    store(row + 2u, col, squares.r2);
    store(row + 3u, col, squares.r3);
}

fn store(row: u32, col: u32, v: vec4<f32>) {
    let start = params.offset + row * params.stride + col;
    if row < params.rows {
        if col < params.cols { distances[start] = v.x; }
        if col + 1u < params.cols { distances[start + 1u] = v.y; }
        if col + 2u < params.cols { distances[start + 2u] = v.z; }
        if col + 3u < params.cols { distances[start + 3u] = v.w; }
    }
}

// A dimension of four rows, 0 beyond the last.
fn four_of_x(quad: u32, dim: u32) -> vec4<f32> {
    if 4u * quad < params.rows && dim < params.dims {
        return unpacked(x[four_at(params.first_row / 4u + quad, dim, params.dims)]);
    }
    return vec4(0.0);
}

fn four_of_y(quad: u32, dim: u32) -> vec4<f32> {
    if 4u * quad < params.cols && dim < params.dims {
        return unpacked(y[four_at(quad, dim, params.dims)]);
    }
    return vec4(0.0);
}
