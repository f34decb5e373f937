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

// The weights, [point][row / 4], and behind them the points, [point][dimension / 4].
var<workgroup> staged: array<vec4<f32>, SIDES>;

@compute @workgroup_size(LANES)
fn weighted_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let rows = (params.rows + 4u * ROW_QUADS - 1u) / (4u * ROW_QUADS);
    let cols = (params.dims + 4u * COL_QUADS - 1u) / (4u * COL_QUADS);
    let tile = grid_tile(params.first_tile + group.x, rows, cols);
    let own = place(lane);
    let whole = 4u * (tile.x + 1u) * ROW_QUADS <= params.rows && 4u * (tile.y + 1u) * COL_QUADS <= params.dims;
    let stages = (params.depth + DEPTH - 1u) / DEPTH;
    var part: Sums;
    var stage = 0u;
    let square = square_of(tile, lane);
    var ahead = fetch(square, 0u);
    // There is a point at least, and so a stage.
    loop {
        let end = min(stages, stage + FOLD / DEPTH);
        // The products of a stage are one block without a branch, and the next one is under way meanwhile: see
        // log_sum/similarities.wgsl. During the last stage, it is brought again.
        loop {
            put(ahead, square, lane);
            workgroupBarrier();
            stage += 1u;
            ahead = fetch(square, min(stage, stages - 1u));
            part = step(part, 0u, own);
            part = step(part, 1u, own);
            part = step(part, 2u, own);
            part = step(part, 3u, own);
            part = step(part, 4u, own);
            part = step(part, 5u, own);
            part = step(part, 6u, own);
            part = step(part, 7u, own);
            if DEPTH == 16u {
                part = step(part, 8u, own);
                part = step(part, 9u, own);
                part = step(part, 10u, own);
                part = step(part, 11u, own);
                part = step(part, 12u, own);
                part = step(part, 13u, own);
                part = step(part, 14u, own);
                part = step(part, 15u, own);
            }
            workgroupBarrier();
            continuing {
                break if stage >= end;
            }
        }
        let row = 4u * (tile.x * ROW_QUADS + own.x);
        let dim = 4u * (tile.y * COL_QUADS + own.y);
        if whole {
            add_whole(part.q00, row, dim);
            if BROAD { add_whole(part.q01, row, dim + 4u * WIDE); }
            if TALL { add_whole(part.q10, row + 4u * HIGH, dim); }
            if TALL && BROAD { add_whole(part.q11, row + 4u * HIGH, dim + 4u * WIDE); }
        } else {
            add(part.q00, row, dim);
            if BROAD { add(part.q01, row, dim + 4u * WIDE); }
            if TALL { add(part.q10, row + 4u * HIGH, dim); }
            if TALL && BROAD { add(part.q11, row + 4u * HIGH, dim + 4u * WIDE); }
        }
        part = Sums();
        continuing {
            break if stage >= stages;
        }
    }
}

// Adds the products with point u of the stage.
fn step(sum: Sums, u: u32, own: vec2<u32>) -> Sums {
    let a0 = staged[u * ROW_QUADS + own.x];
    let b0 = staged[LEFT + u * COL_QUADS + own.y];
    var a1: vec4<f32>;
    var b1: vec4<f32>;
    if TALL { a1 = staged[u * ROW_QUADS + HIGH + own.x]; }
    if BROAD { b1 = staged[LEFT + u * COL_QUADS + WIDE + own.y]; }
    return sums_products(sum, a0, a1, b0, b1);
}

// What an invocation brings to every stage: four points by four rows of the sums, those of weights first, or by four
// dimensions.
struct Square {
    of_weights: bool,
    // Where its vectors of the first stage lie in memory.
    source: vec4<u32>,
    // They hold a row or a dimension each, and not a point.
    transposed: bool,
    // Where its first point goes in workgroup memory, and how far from there the next one.
    goal: u32,
    step: u32,
}

// Weights are whole tiles on all sides. What lies beyond the last point has weights of 0, and what lies beyond the last
// dimension is not added.
fn square_of(tile: vec2<u32>, lane: u32) -> Square {
    let across = vec4(0u, 1u, 2u, 3u);
    if lane < LEFT / 4u {
        let points = lane / ROW_QUADS;
        let rows = tile.x * ROW_QUADS + lane % ROW_QUADS;
        let transposed = params.transposed != 1u;
        let start = select(rows, points, transposed) + 4u * select(points, rows, transposed) * params.stride;
        let goal = 4u * points * ROW_QUADS + lane % ROW_QUADS;
        return Square(true, start + across * params.stride, transposed, goal, ROW_QUADS);
    }
    // Where there are more invocations than squares, the last bring any, and put none.
    let slot = lane - LEFT / 4u;
    let points = min(slot / COL_QUADS, DEPTH / 4u - 1u);
    let dims = min(4u * (tile.y * COL_QUADS + slot % COL_QUADS) + across, vec4(params.dims - 1u));
    let goal = LEFT + 4u * points * COL_QUADS + slot % COL_QUADS;
    return Square(false, points + dims * GROUP_QUADS, true, goal, COL_QUADS);
}

// Vectors of a square as they lie in memory: whatever computes with them would wait for them.
struct Ahead {
    v0: vec4<u32>,
    v1: vec4<u32>,
    v2: vec4<u32>,
    v3: vec4<u32>,
}

// A stage lies within one group of points, and the last group is filled up with zeros.
fn fetch(square: Square, stage: u32) -> Ahead {
    let quad = stage * (DEPTH / 4u);
    if square.of_weights {
        let at = square.source + select(4u * quad * params.stride, quad, square.transposed);
        return Ahead(weight_bits(at.x), weight_bits(at.y), weight_bits(at.z), weight_bits(at.w));
    }
    let at = square.source + four_at(quad, 0u, params.dims);
    return Ahead(four_bits(y[at.x]), four_bits(y[at.y]), four_bits(y[at.z]), four_bits(y[at.w]));
}

fn weight_bits(at: u32) -> vec4<u32> {
    return bitcast<vec4<u32>>(weights[at]);
}

fn put(ahead: Ahead, square: Square, lane: u32) {
    var points = Quad(
        values(ahead.v0, square.of_weights),
        values(ahead.v1, square.of_weights),
        values(ahead.v2, square.of_weights),
        values(ahead.v3, square.of_weights),
    );
    if square.transposed { points = quad_transposed(points); }
    // A constant where it can be one.
    let step = select(square.step, ROW_QUADS, ROW_QUADS == COL_QUADS);
    if SIDES / 4u == LANES || lane < SIDES / 4u {
        staged[square.goal] = points.r0;
        staged[square.goal + step] = points.r1;
        staged[square.goal + 2u * step] = points.r2;
        staged[square.goal + 3u * step] = points.r3;
    }
}

fn values(bits: vec4<u32>, of_weights: bool) -> vec4<f32> {
    if of_weights { return bitcast<vec4<f32>>(bits); }
    return unpacked(four_of_bits(bits));
}

// Of a tile that lies within the sums. All are loaded before any is stored: a compiler does not know that a store leaves the next
// row as it was, and waits for each.
fn add_whole(part: Quad, row: u32, dim: u32) {
    let s0 = row * params.dims + dim;
    let s1 = s0 + params.dims;
    let s2 = s1 + params.dims;
    let s3 = s2 + params.dims;
    let next = quad_add(Quad(sums_at(s0), sums_at(s1), sums_at(s2), sums_at(s3)), part);
    store(s0, next.r0);
    store(s1, next.r1);
    store(s2, next.r2);
    store(s3, next.r3);
}

fn sums_at(start: u32) -> vec4<f32> {
    return vec4(sums[start], sums[start + 1u], sums[start + 2u], sums[start + 3u]);
}

fn store(start: u32, v: vec4<f32>) {
    sums[start] = v.x;
    sums[start + 1u] = v.y;
    sums[start + 2u] = v.z;
    sums[start + 3u] = v.w;
}

// Of a tile that reaches beyond them.
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
