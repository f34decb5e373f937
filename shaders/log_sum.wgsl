// Σ exp(κs) over the pairs of a block of points, one sum per tile; or, for the gradient, exp(κ(s − pivot)) of
// every pair as a matrix of weights, with its sum per tile.
//
// The similarity s of unit rows is their cosine, of raw points −‖x−y‖², by direct difference.
// Stands on: shared/{exp,grid,pair_params,pairs,points,quads,split,stages,tile_sum,tiles,triangle}.wgsl; its own parts are
// log_sum/{similarities,table,weights}.wgsl, and log_sum/tree.wgsl or log_sum/subgroups.wgsl.

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
// Lengths are those of exact products; or those that sums like these have, and equal rows the cosine 1.
override EXACT: bool;
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
    if params.diagonal != 1u {
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
    if some_count(at) {
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

// Whether pairs of a tile count; where none do, weights are 0.
fn some_count(at: Place) -> bool {
    return params.diagonal != 1u || at.tile.x * ROW_QUADS < (at.tile.y + 1u) * COL_QUADS;
}

fn tile_of_grid(number: u32) -> vec2<u32> {
    let rows = (params.rows + 4u * ROW_QUADS - 1u) / (4u * ROW_QUADS);
    let cols = (params.cols + 4u * COL_QUADS - 1u) / (4u * COL_QUADS);
    return grid_tile(number, rows, cols);
}

fn placed(tile: vec2<u32>, lane: u32) -> Place {
    let first = 4u * vec2(tile.x * ROW_QUADS, tile.y * COL_QUADS);
    let end = first + 4u * vec2(ROW_QUADS, COL_QUADS);
    let whole = end.x <= params.rows && end.y <= params.cols && whole_tile(params.diagonal, first, end);
    let own = first + 4u * place(lane);
    return Place(tile, own.x, own.y, !whole);
}

fn beside(at: Place) -> Place {
    return Place(at.tile, at.row, at.col + 4u * WIDE, at.ragged);
}

fn below(at: Place) -> Place {
    return Place(at.tile, at.row + 4u * HIGH, at.col, at.ragged);
}
