// Σ exp(κs) over the pairs of a block of points, one sum per tile; or, for the gradient, exp(κ(s − pivot)) of
// every pair as a matrix of weights, with its sum per tile.
//
// The similarity s of unit rows is their cosine, of raw points −‖x−y‖², by direct difference.
// Stands on: shared/exp.wgsl, shared/split.wgsl, shared/tile_sum.wgsl, shared/tiles.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    dims: u32,
    // 1: both sides are the same panel, and only the pairs i < j count.
    diagonal: u32,
    first_tile: u32,
    first_sum: u32,
    // The weights' pivot; a sum finds its own.
    pivot: f32,
    // The parts of a Scale.
    scale_high: f32,
    scale_low: f32,
    scale_least: f32,
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // (rows, dims)
@group(0) @binding(2) var<storage, read> y: array<f32>; // (cols, dims)
@group(0) @binding(3) var<storage, read> x_excess: array<vec2<f32>>; // (rows): see excess.wgsl
@group(0) @binding(4) var<storage, read> y_excess: array<vec2<f32>>; // (cols)
@group(0) @binding(5) var<storage, read_write> sums: array<TileSum>;
@group(0) @binding(6) var<storage, read_write> weights: array<f32>; // (rows, cols)

// Raw points: similarities by direct difference.
override DIFFERENCE: bool;
// Few pairs, so that rounding has nothing to average over: products of 12-bit halves, summed exactly.
override SPLIT: bool;

// Below every similarity, and finite: a shader may assume that infinities do not occur.
const NONE = -3.0e38;

var<workgroup> left: array<vec4<f32>, PANEL>; // [depth][row / 4]
var<workgroup> right: array<vec4<f32>, PANEL>; // [depth][column / 4]
var<workgroup> shared_values: array<f32, 256>;

// Every similarity is high + low.
struct Similarities {
    high: Quad,
    low: Quad,
}

// What an invocation works on: its first row and column of the block.
struct Place {
    row: u32,
    col: u32,
}

@compute @workgroup_size(256)
fn log_sum(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = params.first_tile + group.x;
    let tile = select(grid_tile(number, tiles(params.cols)), triangle_tile(number), params.diagonal == 1u);
    let at = place(tile, lane);
    let s = similarities(tile, lane);

    let p0 = select(vec4(NONE), s.high.r0 + s.low.r0, counted(at, 0u));
    let p1 = select(vec4(NONE), s.high.r1 + s.low.r1, counted(at, 1u));
    let p2 = select(vec4(NONE), s.high.r2 + s.low.r2, counted(at, 2u));
    let p3 = select(vec4(NONE), s.high.r3 + s.low.r3, counted(at, 3u));
    let largest = max(max(p0, p1), max(p2, p3));
    let pivot = reduce_max(max(max(largest.x, largest.y), max(largest.z, largest.w)), lane);

    let sum = reduce_sum(total(weights_of(s, at, pivot)), lane);
    if lane == 0u {
        sums[params.first_sum + group.x] = TileSum(pivot, sum);
    }
}

@compute @workgroup_size(256)
fn weights_of_pairs(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, tiles(params.cols));
    let at = place(tile, lane);
    // Below the diagonal nothing counts, and the weights are 0.
    var w: Quad;
    if params.diagonal == 0u || tile.x <= tile.y {
        w = weights_of(similarities(tile, lane), at, params.pivot);
    }
    store(at, 0u, w.r0);
    store(at, 1u, w.r1);
    store(at, 2u, w.r2);
    store(at, 3u, w.r3);
    let sum = reduce_sum(total(w), lane);
    if lane == 0u {
        sums[params.first_sum + group.x] = TileSum(params.pivot, sum);
    }
}

fn tiles(points: u32) -> u32 {
    return (points + TILE - 1u) / TILE;
}

fn place(tile: vec2<u32>, lane: u32) -> Place {
    return Place(tile.x * TILE + lane / QUADS * 4u, tile.y * TILE + lane % QUADS * 4u);
}

// Which of the four pairs in row r of this invocation count.
fn counted(at: Place, r: u32) -> vec4<bool> {
    let row = at.row + r;
    let cols = at.col + vec4(0u, 1u, 2u, 3u);
    let inside = (cols < vec4(params.cols)) & vec4(row < params.rows);
    return inside & ((cols > vec4(row)) | vec4(params.diagonal == 0u));
}

fn store(at: Place, r: u32, w: vec4<f32>) {
    let start = (at.row + r) * params.cols + at.col;
    if at.row + r < params.rows {
        if at.col < params.cols { weights[start] = w.x; }
        if at.col + 1u < params.cols { weights[start + 1u] = w.y; }
        if at.col + 2u < params.cols { weights[start + 2u] = w.z; }
        if at.col + 3u < params.cols { weights[start + 3u] = w.w; }
    }
}

fn total(w: Quad) -> f32 {
    let sum = (w.r0 + w.r1) + (w.r2 + w.r3);
    return (sum.x + sum.y) + (sum.z + sum.w);
}

fn weights_of(s: Similarities, at: Place, pivot: f32) -> Quad {
    return Quad(
        select(vec4(0.0), weight(s.high.r0, s.low.r0, pivot), counted(at, 0u)),
        select(vec4(0.0), weight(s.high.r1, s.low.r1, pivot), counted(at, 1u)),
        select(vec4(0.0), weight(s.high.r2, s.low.r2, pivot), counted(at, 2u)),
        select(vec4(0.0), weight(s.high.r3, s.low.r3, pivot), counted(at, 3u)),
    );
}

// exp(κ(s − pivot)). Rounding may lift a similarity above its pivot; to cut it off there would bias the sum.
fn weight(high: vec4<f32>, low: vec4<f32>, pivot: f32) -> vec4<f32> {
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    return exp_scaled(scale, opaque(high - pivot, params.zero) + low);
}

fn similarities(tile: vec2<u32>, lane: u32) -> Similarities {
    var high: Quad;
    var low: Quad;
    for (var k = 0u; k < params.dims; k += DEPTH * STEPS) {
        var part: Quad;
        for (var depth = k; depth < min(k + DEPTH * STEPS, params.dims); depth += DEPTH) {
            left[lane % DEPTH * STRIDE + lane / DEPTH] = four_of_x(tile.x, depth, lane);
            right[lane % DEPTH * STRIDE + lane / DEPTH] = four_of_y(tile.y, depth, lane);
            workgroupBarrier();
            for (var i = 0u; i < DEPTH; i++) {
                let a = left[i * STRIDE + lane / QUADS];
                let b = right[i * STRIDE + lane % QUADS];
                if DIFFERENCE {
                    part = quad_squares(part, a, b);
                } else if SPLIT {
                    let a_high = leading(a);
                    let b_high = leading(b);
                    part = quad_products(part, a_high, b_high);
                    low = quad_products(quad_products(low, a_high, b - b_high), a - a_high, b);
                } else {
                    part = quad_products(part, a, b);
                }
            }
            workgroupBarrier();
        }
        high = quad_add(high, part);
    }
    if DIFFERENCE {
        return Similarities(Quad(-high.r0, -high.r1, -high.r2, -high.r3), low);
    }
    return cosines(high, low, place(tile, lane));
}

// Dot products of rows whose lengths are one but for rounding, divided by those lengths.
fn cosines(high: Quad, low: Quad, at: Place) -> Similarities {
    let of_y = vec4(excess_of_y(at.col), excess_of_y(at.col + 1u), excess_of_y(at.col + 2u), excess_of_y(at.col + 3u));
    let c0 = correction(high.r0, low.r0, excess_of_x(at.row) + of_y);
    let c1 = correction(high.r1, low.r1, excess_of_x(at.row + 1u) + of_y);
    let c2 = correction(high.r2, low.r2, excess_of_x(at.row + 2u) + of_y);
    let c3 = correction(high.r3, low.r3, excess_of_x(at.row + 3u) + of_y);
    if SPLIT {
        return Similarities(high, Quad(low.r0 - c0, low.r1 - c1, low.r2 - c2, low.r3 - c3));
    }
    return Similarities(Quad(high.r0 - c0, high.r1 - c1, high.r2 - c2, high.r3 - c3), low);
}

fn correction(high: vec4<f32>, low: vec4<f32>, both: vec4<f32>) -> vec4<f32> {
    return (high + low) * both;
}

fn excess_of_x(row: u32) -> f32 {
    let excess = x_excess[min(row, params.rows - 1u)];
    return select(excess.x, excess.y, SPLIT);
}

fn excess_of_y(col: u32) -> f32 {
    let excess = y_excess[min(col, params.cols - 1u)];
    return select(excess.x, excess.y, SPLIT);
}

// Dimension `lane % 16` of the panel's next 16, four rows of it: neighbours read neighbours.
fn four_of_x(tile_row: u32, depth: u32, lane: u32) -> vec4<f32> {
    let k = depth + lane % DEPTH;
    let row = tile_row * TILE + lane / DEPTH * 4u;
    return vec4(x_at(row, k), x_at(row + 1u, k), x_at(row + 2u, k), x_at(row + 3u, k));
}

fn four_of_y(tile_col: u32, depth: u32, lane: u32) -> vec4<f32> {
    let k = depth + lane % DEPTH;
    let col = tile_col * TILE + lane / DEPTH * 4u;
    return vec4(y_at(col, k), y_at(col + 1u, k), y_at(col + 2u, k), y_at(col + 3u, k));
}

fn x_at(row: u32, k: u32) -> f32 {
    if row < params.rows && k < params.dims {
        return x[row * params.dims + k];
    }
    return 0.0;
}

fn y_at(col: u32, k: u32) -> f32 {
    if col < params.cols && k < params.dims {
        return y[col * params.dims + k];
    }
    return 0.0;
}

fn reduce_max(value: f32, lane: u32) -> f32 {
    shared_values[lane] = value;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            shared_values[lane] = max(shared_values[lane], shared_values[lane + half]);
        }
    }
    return workgroupUniformLoad(&shared_values[0]);
}

fn reduce_sum(value: f32, lane: u32) -> f32 {
    shared_values[lane] = value;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            shared_values[lane] += shared_values[lane + half];
        }
    }
    return workgroupUniformLoad(&shared_values[0]);
}
