// sums[i] += Σⱼ wᵢⱼ (yⱼ − xᵢ): a matrix product in tiles of 64 rows by 64 dimensions, of differences, so that close
// points do not cancel.
// Stands on: shared/grid.wgsl, shared/points.wgsl, shared/quads.wgsl, shared/small_tiles.wgsl.

struct Params {
    rows: u32, // of the sums
    depth: u32, // points summed over
    dims: u32,
    first_row: u32, // of the sums, in x and sums: a multiple of 4
    first_point: u32, // of the points summed over, in y: a multiple of 4
    weight_offset: u32,
    weight_row: u32, // from wᵢⱼ to the next i
    weight_col: u32, // from wᵢⱼ to the next j
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>; // (rows, depth), by the strides above
@group(0) @binding(2) var<storage, read> x: array<Four>; // (…, dims): see shared/points.wgsl
@group(0) @binding(3) var<storage, read> y: array<Four>; // (…, dims)
@group(0) @binding(4) var<storage, read_write> sums: array<f32>; // (…, dims)

// Points after which partial sums are set aside: short sums err less.
const FOLD = 256u;

var<workgroup> left: array<vec4<f32>, STAGE>; // [point][row / 4]
var<workgroup> right: array<vec4<f32>, STAGE>; // [point][dimension / 4]

@compute @workgroup_size(256)
fn weighted_differences(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, (params.rows + TILE - 1u) / TILE, (params.dims + TILE - 1u) / TILE);
    let row = tile.x * TILE + lane / QUADS * 4u;
    let dim = tile.y * TILE + lane % QUADS * 4u;

    let own = square_of_x((params.first_row + row) / 4u, dim);
    var total: Quad;
    for (var j = 0u; j < params.depth; j += FOLD) {
        var part: Quad;
        for (var depth = j; depth < min(j + FOLD, params.depth); depth += DEPTH) {
            // Neighbours read neighbours, whichever way the matrix lies.
            let along_rows = params.weight_row == 1u;
            let point = select(lane % DEPTH, lane / QUADS, along_rows);
            let four = select(lane / DEPTH, lane % QUADS, along_rows);
            left[point * STRIDE + four] = four_weights(tile.x * TILE + four * 4u, depth + point);
            if lane < DEPTH / 4u * QUADS {
                put_square_of_y(depth + lane / QUADS * 4u, tile.y * TILE + lane % QUADS * 4u, lane);
            }
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

// Four dimensions of four points to the stage, whose weights are 0 beyond the last.
fn put_square_of_y(point: u32, dim: u32, lane: u32) {
    let square = square_of_y((params.first_point + point) / 4u, dim);
    let start = lane / QUADS * 4u * STRIDE + lane % QUADS;
    right[start] = square.r0;
    right[start + STRIDE] = square.r1;
    right[start + 2u * STRIDE] = square.r2;
    right[start + 3u * STRIDE] = square.r3;
}

// Four dimensions of four rows, a vector per row.
fn square_of_x(quad: u32, dim: u32) -> Quad {
    return quad_transposed(Quad(x_at(quad, dim), x_at(quad, dim + 1u), x_at(quad, dim + 2u), x_at(quad, dim + 3u)));
}

fn square_of_y(quad: u32, dim: u32) -> Quad {
    return quad_transposed(Quad(y_at(quad, dim), y_at(quad, dim + 1u), y_at(quad, dim + 2u), y_at(quad, dim + 3u)));
}

// A dimension of four rows, 0 beyond the last.
fn x_at(quad: u32, dim: u32) -> vec4<f32> {
    if 4u * quad < params.first_row + params.rows && dim < params.dims {
        return unpacked(x[four_at(quad, dim, params.dims)]);
    }
    return vec4(0.0);
}

fn y_at(quad: u32, dim: u32) -> vec4<f32> {
    if 4u * quad < params.first_point + params.depth && dim < params.dims {
        return unpacked(y[four_at(quad, dim, params.dims)]);
    }
    return vec4(0.0);
}
