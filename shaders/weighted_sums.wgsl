// sums[i] += Σⱼ wᵢⱼ yⱼ: the product of the weights of a block, or of their transpose, with the points on the other
// side.
//
// Of unit rows it has the same part tangent to the sphere as Σⱼ wᵢⱼ (yⱼ − xᵢ), and loses it where clusters are tight:
// see weighted_differences.wgsl.
// Stands on: shared/grid.wgsl, shared/points.wgsl, shared/quads.wgsl, shared/tiles.wgsl.

struct Params {
    rows: u32, // of the sums
    depth: u32, // points summed over
    dims: u32,
    stride: u32, // from a row of weights to the next, by fours
    // 1: rows of the sums are columns of the weights.
    transposed: u32,
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>; // rows of whole tiles; 0 where there is no pair
@group(0) @binding(2) var<storage, read> y: array<Four>; // (depth, dims): see shared/points.wgsl
@group(0) @binding(3) var<storage, read_write> sums: array<f32>; // (rows, dims)

// Points after which a sum is added to those in memory: short sums err less.
const FOLD = 256u;

var<workgroup> left: array<vec4<f32>, LEFT>; // [point][row / 4]
var<workgroup> right: array<vec4<f32>, RIGHT>; // [point][dimension / 4]

@compute @workgroup_size(LANES)
fn weighted_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let rows = (params.rows + 4u * ROW_QUADS - 1u) / (4u * ROW_QUADS);
    let cols = (params.dims + 4u * COL_QUADS - 1u) / (4u * COL_QUADS);
    let tile = grid_tile(params.first_tile + group.x, rows, cols);
    let own = place(lane);
    var part: Sums;
    var ahead = fetch(tile, 0u, lane);
    for (var depth = 0u; depth < params.depth; depth += DEPTH) {
        put(ahead, lane);
        workgroupBarrier();
        // Under way while the invocations compute.
        if depth + DEPTH < params.depth {
            ahead = fetch(tile, depth + DEPTH, lane);
        }
        for (var i = 0u; i < DEPTH; i += 4u) {
            for (var u = i; u < i + 4u; u++) {
                let a0 = left[u * ROW_QUADS + own.x];
                let b0 = right[u * COL_QUADS + own.y];
                var a1: vec4<f32>;
                var b1: vec4<f32>;
                if TALL { a1 = left[u * ROW_QUADS + HIGH + own.x]; }
                if BROAD { b1 = right[u * COL_QUADS + WIDE + own.y]; }
                part = sums_products(part, a0, a1, b0, b1);
            }
        }
        if (depth + DEPTH) % FOLD == 0u || depth + DEPTH >= params.depth {
            let row = 4u * (tile.x * ROW_QUADS + own.x);
            let dim = 4u * (tile.y * COL_QUADS + own.y);
            add(part.q00, row, dim);
            if BROAD { add(part.q01, row, dim + 4u * WIDE); }
            if TALL { add(part.q10, row + 4u * HIGH, dim); }
            if TALL && BROAD { add(part.q11, row + 4u * HIGH, dim + 4u * WIDE); }
            part = Sums();
        }
        workgroupBarrier();
    }
}

// Four points by four rows, or by four dimensions: each invocation brings one such square at the most, those of
// weights first.
fn fetch(tile: vec2<u32>, depth: u32, lane: u32) -> Quad {
    if lane < LEFT / 4u {
        return square_of_weights(tile.x * ROW_QUADS + lane % ROW_QUADS, depth / 4u + lane / ROW_QUADS);
    }
    let slot = lane - LEFT / 4u;
    if slot < RIGHT / 4u {
        return square_of_y(depth / 4u + slot / COL_QUADS, tile.y * COL_QUADS + slot % COL_QUADS);
    }
    return Quad();
}

fn put(square: Quad, lane: u32) {
    if lane < LEFT / 4u {
        let start = lane / ROW_QUADS * 4u * ROW_QUADS + lane % ROW_QUADS;
        left[start] = square.r0;
        left[start + ROW_QUADS] = square.r1;
        left[start + 2u * ROW_QUADS] = square.r2;
        left[start + 3u * ROW_QUADS] = square.r3;
    } else if lane < (LEFT + RIGHT) / 4u {
        let slot = lane - LEFT / 4u;
        let start = slot / COL_QUADS * 4u * COL_QUADS + slot % COL_QUADS;
        right[start] = square.r0;
        right[start + COL_QUADS] = square.r1;
        right[start + 2u * COL_QUADS] = square.r2;
        right[start + 3u * COL_QUADS] = square.r3;
    }
}

// Weights of four rows of the sums with four points, a vector per point. The weights are whole tiles on all sides.
fn square_of_weights(quad: u32, points: u32) -> Quad {
    let row = 4u * select(quad, points, params.transposed == 1u);
    let start = row * params.stride + select(points, quad, params.transposed == 1u);
    let square = Quad(
        weights[start],
        weights[start + params.stride],
        weights[start + 2u * params.stride],
        weights[start + 3u * params.stride],
    );
    if params.transposed == 1u {
        return square;
    }
    return quad_transposed(square);
}

// Four dimensions of four points, a vector per point. What lies beyond the last point has weights of 0, and what lies
// beyond the last dimension is not added.
fn square_of_y(points: u32, dims: u32) -> Quad {
    let quad = min(points, (params.depth - 1u) / 4u);
    let dim = 4u * dims;
    let last = params.dims - 1u;
    return quad_transposed(Quad(
        unpacked(y[four_at(quad, min(dim, last), params.dims)]),
        unpacked(y[four_at(quad, min(dim + 1u, last), params.dims)]),
        unpacked(y[four_at(quad, min(dim + 2u, last), params.dims)]),
        unpacked(y[four_at(quad, min(dim + 3u, last), params.dims)]),
    ));
}

fn add(part: Quad, row: u32, dim: u32) {
    add_row(part.r0, row, dim);
    add_row(part.r1, row + 1u, dim);
    add_row(part.r2, row + 2u, dim);
    add_row(part.r3, row + 3u, dim);
}

fn add_row(v: vec4<f32>, row: u32, dim: u32) {
    let start = row * params.dims + dim;
    if row < params.rows {
        if dim < params.dims { sums[start] += v.x; }
        if dim + 1u < params.dims { sums[start + 1u] += v.y; }
        if dim + 2u < params.dims { sums[start + 2u] += v.z; }
        if dim + 3u < params.dims { sums[start + 3u] += v.w; }
    }
}
