// sums[i] += Σⱼ wᵢⱼ yⱼ, or Σⱼ wᵢⱼ (yⱼ − xᵢ) by direct difference. A matrix product in tiles of 64 rows by 64
// dimensions.
// Stands on: shared/tiles.wgsl.

struct Params {
    rows: u32, // of the sums
    depth: u32, // points summed over
    dims: u32,
    first_row: u32, // of the sums, in x and sums
    first_point: u32, // of the points summed over, in y
    weight_offset: u32,
    weight_row: u32, // from wᵢⱼ to the next i
    weight_col: u32, // from wᵢⱼ to the next j
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>; // (rows, depth), by the strides above
@group(0) @binding(2) var<storage, read> x: array<f32>; // (…, dims)
@group(0) @binding(3) var<storage, read> y: array<f32>; // (…, dims)
@group(0) @binding(4) var<storage, read_write> sums: array<f32>; // (…, dims)

override DIFFERENCE: bool;

const DEPTH = 16u;
// Points after which partial sums are set aside, in multiples of DEPTH: short sums err less.
const STEPS = 16u;

var<workgroup> left: array<vec4<f32>, DEPTH * QUADS>; // [depth][row / 4]
var<workgroup> right: array<vec4<f32>, DEPTH * QUADS>; // [depth][dimension / 4]

@compute @workgroup_size(256)
fn weighted_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, (params.dims + TILE - 1u) / TILE);
    let row = tile.x * TILE + lane / QUADS * 4u;
    let dim = tile.y * TILE + lane % QUADS * 4u;

    var own = mat4x4<f32>();
    if DIFFERENCE {
        for (var r = 0u; r < 4u; r++) {
            own[r] = four_dims_of_x(row + r, dim);
        }
    }
    var total = mat4x4<f32>();
    for (var j = 0u; j < params.depth; j += DEPTH * STEPS) {
        var part = mat4x4<f32>();
        for (var depth = j; depth < min(j + DEPTH * STEPS, params.depth); depth += DEPTH) {
            // Neighbours read neighbours, whichever way the matrix lies.
            let along_rows = params.weight_row == 1u;
            let point = select(lane % DEPTH, lane / QUADS, along_rows);
            let four = select(lane / DEPTH, lane % QUADS, along_rows);
            left[point * QUADS + four] = four_weights(tile.x * TILE + four * 4u, depth + point);
            right[lane] = four_dims_of_y(depth + lane / QUADS, dim);
            workgroupBarrier();
            for (var i = 0u; i < DEPTH; i++) {
                let w = left[i * QUADS + lane / QUADS];
                let v = right[i * QUADS + lane % QUADS];
                if DIFFERENCE {
                    part[0] = fma(vec4(w.x), v - own[0], part[0]);
                    part[1] = fma(vec4(w.y), v - own[1], part[1]);
                    part[2] = fma(vec4(w.z), v - own[2], part[2]);
                    part[3] = fma(vec4(w.w), v - own[3], part[3]);
                } else {
                    part[0] = fma(vec4(w.x), v, part[0]);
                    part[1] = fma(vec4(w.y), v, part[1]);
                    part[2] = fma(vec4(w.z), v, part[2]);
                    part[3] = fma(vec4(w.w), v, part[3]);
                }
            }
            workgroupBarrier();
        }
        total += part;
    }
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
            if row + r < params.rows && dim + c < params.dims {
                sums[(params.first_row + row + r) * params.dims + dim + c] += total[r][c];
            }
        }
    }
}

// Weights of four rows with one point, 0 beyond the last.
fn four_weights(row: u32, point: u32) -> vec4<f32> {
    var four = vec4(0.0);
    for (var r = 0u; r < 4u; r++) {
        if point < params.depth && row + r < params.rows {
            four[r] = weights[params.weight_offset + (row + r) * params.weight_row + point * params.weight_col];
        }
    }
    return four;
}

fn four_dims_of_x(row: u32, dim: u32) -> vec4<f32> {
    var four = vec4(0.0);
    for (var c = 0u; c < 4u; c++) {
        if row < params.rows && dim + c < params.dims {
            four[c] = x[(params.first_row + row) * params.dims + dim + c];
        }
    }
    return four;
}

fn four_dims_of_y(point: u32, dim: u32) -> vec4<f32> {
    var four = vec4(0.0);
    for (var c = 0u; c < 4u; c++) {
        if point < params.depth && dim + c < params.dims {
            four[c] = y[(params.first_point + point) * params.dims + dim + c];
        }
    }
    return four;
}
