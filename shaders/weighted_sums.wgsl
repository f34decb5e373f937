// sums[i] += Σⱼ wᵢⱼ (yⱼ − xᵢ): a matrix product in tiles of 64 rows by 64 dimensions, of differences, so that close
// points do not cancel. Of unit rows, Σⱼ wᵢⱼ yⱼ has the same part tangent to the sphere, and loses it where clusters
// are tight.
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

var<workgroup> left: array<vec4<f32>, PANEL>; // [depth][row / 4]
var<workgroup> right: array<vec4<f32>, PANEL>; // [depth][dimension / 4]

@compute @workgroup_size(256)
fn weighted_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, (params.dims + TILE - 1u) / TILE);
    let row = tile.x * TILE + lane / QUADS * 4u;
    let dim = tile.y * TILE + lane % QUADS * 4u;

    let own = Quad(four_of_x(row, dim), four_of_x(row + 1u, dim), four_of_x(row + 2u, dim), four_of_x(row + 3u, dim));
    var total: Quad;
    for (var j = 0u; j < params.depth; j += DEPTH * STEPS) {
        var part: Quad;
        for (var depth = j; depth < min(j + DEPTH * STEPS, params.depth); depth += DEPTH) {
            // Neighbours read neighbours, whichever way the matrix lies.
            let along_rows = params.weight_row == 1u;
            let point = select(lane % DEPTH, lane / QUADS, along_rows);
            let four = select(lane / DEPTH, lane % QUADS, along_rows);
            left[point * STRIDE + four] = four_weights(tile.x * TILE + four * 4u, depth + point);
            right[lane / QUADS * STRIDE + lane % QUADS] = four_of_y(depth + lane / QUADS, dim);
            workgroupBarrier();
            for (var i = 0u; i < DEPTH; i++) {
                let w = left[i * STRIDE + lane / QUADS];
                let v = right[i * STRIDE + lane % QUADS];
                part = Quad(
                    fma(vec4(w.x), v - own.r0, part.r0),
                    fma(vec4(w.y), v - own.r1, part.r1),
                    fma(vec4(w.z), v - own.r2, part.r2),
                    fma(vec4(w.w), v - own.r3, part.r3),
                );
            }
            workgroupBarrier();
        }
        total = quad_add(total, part);
    }
    add(row, dim, total.r0);
    add(row + 1u, dim, total.r1);
    add(row + 2u, dim, total.r2);
    add(row + 3u, dim, total.r3);
}

fn add(row: u32, dim: u32, v: vec4<f32>) {
    let start = (params.first_row + row) * params.dims + dim;
    if row < params.rows {
        if dim < params.dims { sums[start] += v.x; }
        if dim + 1u < params.dims { sums[start + 1u] += v.y; }
        if dim + 2u < params.dims { sums[start + 2u] += v.z; }
        if dim + 3u < params.dims { sums[start + 3u] += v.w; }
    }
}

// Weights of four rows with one point, 0 beyond the last.
fn four_weights(row: u32, point: u32) -> vec4<f32> {
    return vec4(weight_at(row, point), weight_at(row + 1u, point), weight_at(row + 2u, point), weight_at(row + 3u, point));
}

fn weight_at(row: u32, point: u32) -> f32 {
    if row < params.rows && point < params.depth {
        return weights[params.weight_offset + row * params.weight_row + point * params.weight_col];
    }
    return 0.0;
}

// Four dimensions of a row, 0 beyond the last.
fn four_of_x(row: u32, dim: u32) -> vec4<f32> {
    return vec4(x_at(row, dim), x_at(row, dim + 1u), x_at(row, dim + 2u), x_at(row, dim + 3u));
}

fn four_of_y(point: u32, dim: u32) -> vec4<f32> {
    return vec4(y_at(point, dim), y_at(point, dim + 1u), y_at(point, dim + 2u), y_at(point, dim + 3u));
}

fn x_at(row: u32, dim: u32) -> f32 {
    if row < params.rows && dim < params.dims {
        return x[(params.first_row + row) * params.dims + dim];
    }
    return 0.0;
}

fn y_at(point: u32, dim: u32) -> f32 {
    if point < params.depth && dim < params.dims {
        return y[(params.first_point + point) * params.dims + dim];
    }
    return 0.0;
}
