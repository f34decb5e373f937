// ‖xᵢ−yⱼ‖² of every pair of a block, by direct difference: equal rows are 0 apart, exactly. Tiles of 64 × 64.
// Stands on: shared/grid.wgsl, shared/points.wgsl, shared/quads.wgsl, shared/small_tiles.wgsl, shared/stages.wgsl.

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
    let from_x = source(params.first_row / 4u + tile.x * QUADS, params.first_row + params.rows, lane);
    let from_y = source(tile.y * QUADS, params.cols, lane);
    let stages = params.dims / DEPTH;
    var squares: Quad;
    var stage = 0u;
    var x_ahead = x[from_x];
    var y_ahead = y[from_y];
    while stage < stages {
        // A stage is one block without a branch, so that the next one is under way while the invocations compute.
        left[slot(lane)] = unpacked(x_ahead);
        right[slot(lane)] = unpacked(y_ahead);
        workgroupBarrier();
        stage += 1u;
        let next = first_dim(stage) * GROUP_QUADS;
        x_ahead = x[from_x + next];
        y_ahead = y[from_y + next];
        var part: Quad;
        part = step(part, 0u, lane);
        part = step(part, 1u, lane);
        part = step(part, 2u, lane);
        part = step(part, 3u, lane);
        part = step(part, 4u, lane);
        part = step(part, 5u, lane);
        part = step(part, 6u, lane);
        part = step(part, 7u, lane);
        part = step(part, 8u, lane);
        part = step(part, 9u, lane);
        part = step(part, 10u, lane);
        part = step(part, 11u, lane);
        part = step(part, 12u, lane);
        part = step(part, 13u, lane);
        part = step(part, 14u, lane);
        part = step(part, 15u, lane);
        squares = quad_add(squares, part);
        workgroupBarrier();
    }
    // Dimensions that fill no stage.
    if stage * DEPTH < params.dims {
        left[slot(lane)] = unpacked(x_ahead);
        right[slot(lane)] = unpacked(y_ahead);
        workgroupBarrier();
        let first = first_dim(stage);
        var part: Quad;
        for (var u = stage * DEPTH - first; u < min(DEPTH, params.dims - first); u++) {
            part = step(part, u, lane);
        }
        squares = quad_add(squares, part);
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

// Adds dimension u of the stage.
fn step(sum: Quad, u: u32, lane: u32) -> Quad {
    return quad_squares(sum, left[u * STRIDE + lane / QUADS], right[u * STRIDE + lane % QUADS]);
}

// Where an invocation puts what it brings to a stage.
fn slot(lane: u32) -> u32 {
    return lane / QUADS * STRIDE + lane % QUADS;
}

// Where the vector lies that an invocation brings to the first stage, of a tile that begins with these rows. Beyond the last row
// there is whatever is there, and dimensions beyond the last, of which there are some where none fill a stage, are not added.
fn source(first_quad: u32, rows: u32, lane: u32) -> u32 {
    let dim = min(lane / QUADS, params.dims - 1u);
    return four_at(min(first_quad + lane % QUADS, (rows - 1u) / 4u), dim, params.dims);
}
