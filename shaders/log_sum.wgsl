// Σ exp(κs) over the pairs of a block of points, one sum per tile; or, for the gradient, exp(κ(s − pivot)) of
// every pair as a matrix of weights, with its sum per tile.
//
// The similarity s of unit rows is their cosine, of raw points −‖x−y‖², by direct difference.
// Stands on: shared/exp.wgsl, shared/points.wgsl, shared/quads.wgsl, shared/split.wgsl, shared/tile_sum.wgsl,
// shared/tiles.wgsl, shared/triangle.wgsl, and log_sum/tree.wgsl or log_sum/subgroups.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    dims: u32,
    // 1: both sides are the same panel, and only the pairs i < j count.
    diagonal: u32,
    first_tile: u32,
    first_sum: u32,
    // From a row of weights to the next, by fours: whole tiles.
    stride: u32,
    // What weights are relative to, where tiles do not find their own.
    pivot: f32,
    // The parts of a Scale.
    scale_high: f32,
    scale_low: f32,
    scale_least: f32,
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read> y: array<Four>; // (cols, dims)
@group(0) @binding(3) var<storage, read> x_excess: array<vec2<f32>>; // (rows): see excess.wgsl
@group(0) @binding(4) var<storage, read> y_excess: array<vec2<f32>>; // (cols)
@group(0) @binding(5) var<storage, read_write> sums: array<TileSum>;
@group(0) @binding(6) var<storage, read_write> weights: array<vec4<f32>>; // (rows, 4 · stride), rows of whole tiles

// Raw points: similarities by direct difference. Four rows and columns an invocation.
override DIFFERENCE: bool;
// Few pairs, so that rounding has nothing to average over: products of 12-bit halves, summed exactly. As above.
override SPLIT: bool;
// More dimensions than FOLD: sums of so many are set aside, as short sums err less.
override FOLDED: bool;
override FOLD: u32;
// Each tile is relative to the largest similarity in it.
override OWN_PIVOT: bool;

// Below every similarity, and finite: a shader may assume that infinities do not occur.
const NONE = -3.0e38;

var<workgroup> left: array<vec4<f32>, LEFT>;
var<workgroup> right: array<vec4<f32>, RIGHT>;

// Every similarity is high + low.
struct Similarities {
    high: Sums,
    low: Quad,
}

// Where an invocation works: the tile, its first row and column in the block, and whether pairs of the tile are
// missing, beyond the last or below the diagonal.
struct Place {
    tile: vec2<u32>,
    row: u32,
    col: u32,
    ragged: bool,
}

@compute @workgroup_size(LANES)
fn log_sum(invocation: Invocation) {
    let lane = invocation.lane;
    let number = params.first_tile + invocation.group.x;
    var tile = triangle_tile(number);
    if params.diagonal == 0u {
        tile = tile_of_grid(number);
    }
    let at = placed(tile, lane);
    let s = similarities(at, lane);
    var pivot = params.pivot;
    if OWN_PIVOT {
        var largest = quad_largest(s.high.q00, s.low, at);
        if BROAD { largest = max(largest, quad_largest(s.high.q01, Quad(), beside(at))); }
        if TALL { largest = max(largest, quad_largest(s.high.q10, Quad(), below(at))); }
        if TALL && BROAD { largest = max(largest, quad_largest(s.high.q11, Quad(), below(beside(at)))); }
        pivot = reduce_max(largest, invocation);
    }
    let sum = reduce_sum(sums_total(weights_of(s, at, pivot)), invocation);
    if lane == 0u {
        sums[params.first_sum + invocation.group.x] = TileSum(pivot, sum);
    }
}

@compute @workgroup_size(LANES)
fn weights_of_pairs(invocation: Invocation) {
    let lane = invocation.lane;
    let at = placed(tile_of_grid(params.first_tile + invocation.group.x), lane);
    var w: Sums;
    // Below the diagonal nothing counts, and the weights are 0.
    if params.diagonal == 0u || (at.tile.x * ROW_QUADS < (at.tile.y + 1u) * COL_QUADS) {
        w = weights_of(similarities(at, lane), at, params.pivot);
    }
    store(w.q00, at);
    if BROAD { store(w.q01, beside(at)); }
    if TALL { store(w.q10, below(at)); }
    if TALL && BROAD { store(w.q11, below(beside(at))); }
    let sum = reduce_sum(sums_total(w), invocation);
    if lane == 0u {
        sums[params.first_sum + invocation.group.x] = TileSum(params.pivot, sum);
    }
}

fn tile_of_grid(number: u32) -> vec2<u32> {
    let rows = (params.rows + 4u * ROW_QUADS - 1u) / (4u * ROW_QUADS);
    let cols = (params.cols + 4u * COL_QUADS - 1u) / (4u * COL_QUADS);
    return grid_tile(number, rows, cols);
}

fn placed(tile: vec2<u32>, lane: u32) -> Place {
    let first = 4u * vec2(tile.x * ROW_QUADS, tile.y * COL_QUADS);
    let end = first + 4u * vec2(ROW_QUADS, COL_QUADS);
    let whole = end.x <= params.rows && end.y <= params.cols && (params.diagonal == 0u || end.x <= first.y);
    let own = first + 4u * place(lane);
    return Place(tile, own.x, own.y, !whole);
}

fn beside(at: Place) -> Place {
    return Place(at.tile, at.row, at.col + 4u * WIDE, at.ragged);
}

fn below(at: Place) -> Place {
    return Place(at.tile, at.row + 4u * HIGH, at.col, at.ragged);
}

fn similarities(at: Place, lane: u32) -> Similarities {
    let own = place(lane);
    var total: Sums;
    var part: Sums;
    var low: Quad;
    var ahead = fetch(at.tile, 0u, lane);
    for (var depth = 0u; depth < params.dims; depth += DEPTH) {
        put(ahead, lane);
        workgroupBarrier();
        // Under way while the invocations compute.
        if depth + DEPTH < params.dims {
            ahead = fetch(at.tile, depth + DEPTH, lane);
        }
        for (var i = 0u; i < DEPTH; i += 4u) {
            for (var u = i; u < i + 4u; u++) {
                let a0 = left[u * ROW_QUADS + own.x];
                let b0 = right[u * COL_QUADS + own.y];
                if DIFFERENCE {
                    part.q00 = quad_squares(part.q00, a0, b0);
                } else if SPLIT {
                    let a_high = leading(a0);
                    let b_high = leading(b0);
                    part.q00 = quad_products(part.q00, a_high, b_high);
                    low = quad_products(quad_products(low, a_high, b0 - b_high), a0 - a_high, b0);
                } else {
                    var a1: vec4<f32>;
                    var b1: vec4<f32>;
                    if TALL { a1 = left[u * ROW_QUADS + HIGH + own.x]; }
                    if BROAD { b1 = right[u * COL_QUADS + WIDE + own.y]; }
                    part = sums_products(part, a0, a1, b0, b1);
                }
            }
        }
        if FOLDED && (depth + DEPTH) % FOLD == 0u {
            total = sums_add(total, part);
            part = Sums();
        }
        workgroupBarrier();
    }
    if FOLDED {
        part = sums_add(total, part);
    }
    if DIFFERENCE {
        let q = part.q00;
        part.q00 = Quad(-q.r0, -q.r1, -q.r2, -q.r3);
        return Similarities(part, low);
    }
    return cosines(part, low, at);
}

// The next vectors of both sides that an invocation brings, two each at the most.
struct Ahead {
    x0: Four,
    x1: Four,
    y0: Four,
    y1: Four,
}

fn fetch(tile: vec2<u32>, depth: u32, lane: u32) -> Ahead {
    var next: Ahead;
    next.x0 = four_of_x(tile.x, depth, lane);
    if LEFT > LANES { next.x1 = four_of_x(tile.x, depth, lane + LANES); }
    next.y0 = four_of_y(tile.y, depth, lane);
    if RIGHT > LANES { next.y1 = four_of_y(tile.y, depth, lane + LANES); }
    return next;
}

fn put(next: Ahead, lane: u32) {
    left[lane] = unpacked(next.x0);
    if LEFT > LANES { left[lane + LANES] = unpacked(next.x1); }
    right[lane] = unpacked(next.y0);
    if RIGHT > LANES { right[lane + LANES] = unpacked(next.y1); }
}

// Vector `slot` of the stage. Beyond the last dimension there are zeros, beyond the last row whatever is there.
fn four_of_x(tile_row: u32, depth: u32, slot: u32) -> Four {
    let dim = depth + slot / ROW_QUADS;
    let quad = min(tile_row * ROW_QUADS + slot % ROW_QUADS, (params.rows - 1u) / 4u);
    let four = x[four_at(quad, min(dim, params.dims - 1u), params.dims)];
    if dim < params.dims { return four; }
    return Four();
}

fn four_of_y(tile_col: u32, depth: u32, slot: u32) -> Four {
    let dim = depth + slot / COL_QUADS;
    let quad = min(tile_col * COL_QUADS + slot % COL_QUADS, (params.cols - 1u) / 4u);
    let four = y[four_at(quad, min(dim, params.dims - 1u), params.dims)];
    if dim < params.dims { return four; }
    return Four();
}

// Dot products of rows whose lengths are one but for rounding, divided by those lengths.
fn cosines(dot: Sums, low: Quad, at: Place) -> Similarities {
    var s = Similarities(dot, low);
    if SPLIT {
        let x = excess_of_rows(at);
        let y = excess_of_cols(at);
        s.low.r0 = low_cosines(dot.q00.r0, low.r0, x.x + y);
        s.low.r1 = low_cosines(dot.q00.r1, low.r1, x.y + y);
        s.low.r2 = low_cosines(dot.q00.r2, low.r2, x.z + y);
        s.low.r3 = low_cosines(dot.q00.r3, low.r3, x.w + y);
        return s;
    }
    s.high.q00 = quad_cosines(dot.q00, at);
    if BROAD { s.high.q01 = quad_cosines(dot.q01, beside(at)); }
    if TALL { s.high.q10 = quad_cosines(dot.q10, below(at)); }
    if TALL && BROAD { s.high.q11 = quad_cosines(dot.q11, below(beside(at))); }
    return s;
}

fn low_cosines(high: vec4<f32>, low: vec4<f32>, both: vec4<f32>) -> vec4<f32> {
    return low - (high + low) * both;
}

fn quad_cosines(dot: Quad, at: Place) -> Quad {
    let x = excess_of_rows(at);
    let y = excess_of_cols(at);
    return Quad(
        dot.r0 - dot.r0 * (x.x + y),
        dot.r1 - dot.r1 * (x.y + y),
        dot.r2 - dot.r2 * (x.z + y),
        dot.r3 - dot.r3 * (x.w + y),
    );
}

fn excess_of_rows(at: Place) -> vec4<f32> {
    let last = params.rows - 1u;
    let e0 = x_excess[min(at.row, last)];
    let e1 = x_excess[min(at.row + 1u, last)];
    let e2 = x_excess[min(at.row + 2u, last)];
    let e3 = x_excess[min(at.row + 3u, last)];
    return select(vec4(e0.x, e1.x, e2.x, e3.x), vec4(e0.y, e1.y, e2.y, e3.y), SPLIT);
}

fn excess_of_cols(at: Place) -> vec4<f32> {
    let last = params.cols - 1u;
    let e0 = y_excess[min(at.col, last)];
    let e1 = y_excess[min(at.col + 1u, last)];
    let e2 = y_excess[min(at.col + 2u, last)];
    let e3 = y_excess[min(at.col + 3u, last)];
    return select(vec4(e0.x, e1.x, e2.x, e3.x), vec4(e0.y, e1.y, e2.y, e3.y), SPLIT);
}

// Which of the four pairs in row r of a quad count.
fn counted(at: Place, r: u32) -> vec4<bool> {
    let row = at.row + r;
    let cols = at.col + vec4(0u, 1u, 2u, 3u);
    let inside = (cols < vec4(params.cols)) & vec4(row < params.rows);
    return inside & ((cols > vec4(row)) | vec4(params.diagonal == 0u));
}

fn weights_of(s: Similarities, at: Place, pivot: f32) -> Sums {
    var w: Sums;
    w.q00 = quad_weights(s.high.q00, s.low, at, pivot);
    if BROAD { w.q01 = quad_weights(s.high.q01, Quad(), beside(at), pivot); }
    if TALL { w.q10 = quad_weights(s.high.q10, Quad(), below(at), pivot); }
    if TALL && BROAD { w.q11 = quad_weights(s.high.q11, Quad(), below(beside(at)), pivot); }
    return w;
}

// exp(κ(s − pivot)), 0 where pairs do not count.
fn quad_weights(high: Quad, low: Quad, at: Place, pivot: f32) -> Quad {
    let w = Quad(
        weight(high.r0, low.r0, pivot),
        weight(high.r1, low.r1, pivot),
        weight(high.r2, low.r2, pivot),
        weight(high.r3, low.r3, pivot),
    );
    if !at.ragged {
        return w;
    }
    return Quad(
        select(vec4(0.0), w.r0, counted(at, 0u)),
        select(vec4(0.0), w.r1, counted(at, 1u)),
        select(vec4(0.0), w.r2, counted(at, 2u)),
        select(vec4(0.0), w.r3, counted(at, 3u)),
    );
}

// Rounding may lift a similarity above its pivot; to cut it off there would bias the sum.
fn weight(high: vec4<f32>, low: vec4<f32>, pivot: f32) -> vec4<f32> {
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    return exp_scaled(scale, opaque(high - pivot, params.zero) + low);
}

fn store(w: Quad, at: Place) {
    let start = at.row * params.stride + at.col / 4u;
    weights[start] = w.r0;
    weights[start + params.stride] = w.r1;
    weights[start + 2u * params.stride] = w.r2;
    weights[start + 3u * params.stride] = w.r3;
}

fn sums_total(w: Sums) -> f32 {
    var total = quad_total(w.q00);
    if BROAD { total += quad_total(w.q01); }
    if TALL { total += quad_total(w.q10); }
    if TALL && BROAD { total += quad_total(w.q11); }
    return total;
}

// The largest similarity of a quad's pairs that count.
fn quad_largest(high: Quad, low: Quad, at: Place) -> f32 {
    let p0 = select(vec4(NONE), high.r0 + low.r0, counted(at, 0u));
    let p1 = select(vec4(NONE), high.r1 + low.r1, counted(at, 1u));
    let p2 = select(vec4(NONE), high.r2 + low.r2, counted(at, 2u));
    let p3 = select(vec4(NONE), high.r3 + low.r3, counted(at, 3u));
    let largest = max(max(p0, p1), max(p2, p3));
    return max(max(largest.x, largest.y), max(largest.z, largest.w));
}
