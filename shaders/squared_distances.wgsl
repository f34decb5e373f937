// ‖xᵢ−yⱼ‖² of every pair of a block, by direct difference: equal rows are 0 apart, exactly. Tiles of 64 × 64.
// Stands on: shared/tiles.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    dims: u32,
    first_row: u32, // of these rows in x
    offset: u32, // of the block in distances
    stride: u32, // from a row of distances to the next
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // (…, dims)
@group(0) @binding(2) var<storage, read> y: array<f32>; // (cols, dims)
@group(0) @binding(3) var<storage, read_write> distances: array<f32>;

var<workgroup> left: array<vec4<f32>, PANEL>; // [depth][row / 4]
var<workgroup> right: array<vec4<f32>, PANEL>; // [depth][column / 4]

@compute @workgroup_size(256)
fn squared_distances(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, (params.cols + TILE - 1u) / TILE);
    let four = lane / DEPTH * 4u;
    var squares: Quad;
    for (var depth = 0u; depth < params.dims; depth += DEPTH) {
        left[lane % DEPTH * STRIDE + lane / DEPTH] = four_of_x(tile.x * TILE + four, depth + lane % DEPTH);
        right[lane % DEPTH * STRIDE + lane / DEPTH] = four_of_y(tile.y * TILE + four, depth + lane % DEPTH);
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

fn four_of_x(row: u32, k: u32) -> vec4<f32> {
    return vec4(x_at(row, k), x_at(row + 1u, k), x_at(row + 2u, k), x_at(row + 3u, k));
}

fn four_of_y(col: u32, k: u32) -> vec4<f32> {
    return vec4(y_at(col, k), y_at(col + 1u, k), y_at(col + 2u, k), y_at(col + 3u, k));
}

fn x_at(row: u32, k: u32) -> f32 {
    if row < params.rows && k < params.dims {
        return x[(params.first_row + row) * params.dims + k];
    }
    return 0.0;
}

fn y_at(col: u32, k: u32) -> f32 {
    if col < params.cols && k < params.dims {
        return y[col * params.dims + k];
    }
    return 0.0;
}
