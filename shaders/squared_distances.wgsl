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

const DEPTH = 16u;

var<workgroup> left: array<vec4<f32>, DEPTH * QUADS>; // [depth][row / 4]
var<workgroup> right: array<vec4<f32>, DEPTH * QUADS>; // [depth][column / 4]

@compute @workgroup_size(256)
fn squared_distances(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, (params.cols + TILE - 1u) / TILE);
    var squares = mat4x4<f32>();
    for (var depth = 0u; depth < params.dims; depth += DEPTH) {
        let k = depth + lane % DEPTH;
        let four = lane / DEPTH * 4u;
        var a = vec4(0.0);
        var b = vec4(0.0);
        for (var c = 0u; c < 4u; c++) {
            let row = tile.x * TILE + four + c;
            let col = tile.y * TILE + four + c;
            if k < params.dims && row < params.rows {
                a[c] = x[(params.first_row + row) * params.dims + k];
            }
            if k < params.dims && col < params.cols {
                b[c] = y[col * params.dims + k];
            }
        }
        left[lane % DEPTH * QUADS + lane / DEPTH] = a;
        right[lane % DEPTH * QUADS + lane / DEPTH] = b;
        workgroupBarrier();
        var part = mat4x4<f32>();
        for (var i = 0u; i < DEPTH; i++) {
            let left_four = left[i * QUADS + lane / QUADS];
            let right_four = right[i * QUADS + lane % QUADS];
            for (var r = 0u; r < 4u; r++) {
                let delta = left_four[r] - right_four;
                part[r] = fma(delta, delta, part[r]);
            }
        }
        squares += part;
        workgroupBarrier();
    }
    let row = tile.x * TILE + lane / QUADS * 4u;
    let col = tile.y * TILE + lane % QUADS * 4u;
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
            if row + r < params.rows && col + c < params.cols {
                distances[params.offset + (row + r) * params.stride + col + c] = squares[r][c];
            }
        }
    }
}
