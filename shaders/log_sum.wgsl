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

const DEPTH = 16u;
// Multiples of DEPTH after which partial dot products are set aside: short sums err less.
const STEPS = 16u;
// Below every similarity, and finite: a shader may assume that infinities do not occur.
const NONE = -3.0e38;

var<workgroup> left: array<vec4<f32>, DEPTH * QUADS>; // [depth][row / 4]
var<workgroup> right: array<vec4<f32>, DEPTH * QUADS>; // [depth][column / 4]
var<workgroup> shared_values: array<f32, QUADS * QUADS>;

// Four rows by four columns of one invocation; every similarity is high + low.
struct Quad {
    high: mat4x4<f32>,
    low: mat4x4<f32>,
}

@compute @workgroup_size(256)
fn log_sum(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = params.first_tile + group.x;
    let tile = select(grid_tile(number, tiles(params.cols)), triangle_tile(number), params.diagonal == 1u);
    let s = similarities(tile, lane);

    var pivot = NONE;
    for (var r = 0u; r < 4u; r++) {
        let c = select(vec4(NONE), s.high[r] + s.low[r], counted(tile, lane, r));
        pivot = max(pivot, max(max(c.x, c.y), max(c.z, c.w)));
    }
    pivot = reduce_max(pivot, lane);
    let sum = reduce_sum(quad_sum(s, tile, lane, pivot), lane);
    if lane == 0u {
        sums[params.first_sum + group.x] = TileSum(pivot, sum);
    }
}

@compute @workgroup_size(256)
fn weights_of_pairs(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, tiles(params.cols));
    // Below the diagonal nothing counts, and the weights are 0.
    let counts = params.diagonal == 0u || tile.x <= tile.y;
    var s: Quad;
    if counts {
        s = similarities(tile, lane);
    }
    var sum = vec4(0.0);
    for (var r = 0u; r < 4u; r++) {
        let w = select(vec4(0.0), weight(s.high[r], s.low[r], params.pivot), counted(tile, lane, r));
        let row = tile.x * TILE + lane / QUADS * 4u + r;
        let col = tile.y * TILE + lane % QUADS * 4u;
        for (var c = 0u; c < 4u; c++) {
            if row < params.rows && col + c < params.cols {
                weights[row * params.cols + col + c] = w[c];
            }
        }
        sum += w;
    }
    let total = reduce_sum(sum.x + sum.y + sum.z + sum.w, lane);
    if lane == 0u {
        sums[params.first_sum + group.x] = TileSum(params.pivot, total);
    }
}

fn tiles(points: u32) -> u32 {
    return (points + TILE - 1u) / TILE;
}

// Which of the four pairs in row r of this invocation count.
fn counted(tile: vec2<u32>, lane: u32, r: u32) -> vec4<bool> {
    let row = tile.x * TILE + lane / QUADS * 4u + r;
    let cols = tile.y * TILE + lane % QUADS * 4u + vec4(0u, 1u, 2u, 3u);
    let inside = (cols < vec4(params.cols)) & vec4(row < params.rows);
    return inside & ((cols > vec4(row)) | vec4(params.diagonal == 0u));
}

// exp(κ(s − pivot)). Rounding may lift a similarity above its pivot; to cut it off there would bias the sum.
fn weight(high: vec4<f32>, low: vec4<f32>, pivot: f32) -> vec4<f32> {
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least);
    return exp_scaled(scale, (high - pivot) + low);
}

fn quad_sum(s: Quad, tile: vec2<u32>, lane: u32, pivot: f32) -> f32 {
    var sum = vec4(0.0);
    for (var r = 0u; r < 4u; r++) {
        sum += select(vec4(0.0), weight(s.high[r], s.low[r], pivot), counted(tile, lane, r));
    }
    return (sum.x + sum.y) + (sum.z + sum.w);
}

fn similarities(tile: vec2<u32>, lane: u32) -> Quad {
    let quad_row = lane / QUADS;
    let quad_col = lane % QUADS;
    var high = mat4x4<f32>();
    var low = mat4x4<f32>();
    for (var k = 0u; k < params.dims; k += DEPTH * STEPS) {
        var part = mat4x4<f32>();
        for (var depth = k; depth < min(k + DEPTH * STEPS, params.dims); depth += DEPTH) {
            left[lane % DEPTH * QUADS + lane / DEPTH] = four_of_x(tile.x, depth, lane);
            right[lane % DEPTH * QUADS + lane / DEPTH] = four_of_y(tile.y, depth, lane);
            workgroupBarrier();
            for (var i = 0u; i < DEPTH; i++) {
                let a = left[i * QUADS + quad_row];
                let b = right[i * QUADS + quad_col];
                if DIFFERENCE {
                    let d0 = a.x - b;
                    let d1 = a.y - b;
                    let d2 = a.z - b;
                    let d3 = a.w - b;
                    part[0] = fma(d0, d0, part[0]);
                    part[1] = fma(d1, d1, part[1]);
                    part[2] = fma(d2, d2, part[2]);
                    part[3] = fma(d3, d3, part[3]);
                } else if SPLIT {
                    let a_high = leading(a);
                    let b_high = leading(b);
                    let a_low = a - a_high;
                    let b_low = b - b_high;
                    for (var r = 0u; r < 4u; r++) {
                        part[r] = fma(vec4(a_high[r]), b_high, part[r]);
                        low[r] += a_high[r] * b_low + a_low[r] * b;
                    }
                } else {
                    part[0] = fma(vec4(a.x), b, part[0]);
                    part[1] = fma(vec4(a.y), b, part[1]);
                    part[2] = fma(vec4(a.z), b, part[2]);
                    part[3] = fma(vec4(a.w), b, part[3]);
                }
            }
            workgroupBarrier();
        }
        high += part;
    }
    if DIFFERENCE {
        return Quad(-1.0 * high, low);
    }
    return cosines(high, low, tile, lane);
}

// Dot products of rows whose lengths are one but for rounding, divided by those lengths.
fn cosines(high: mat4x4<f32>, low: mat4x4<f32>, tile: vec2<u32>, lane: u32) -> Quad {
    let row = tile.x * TILE + lane / QUADS * 4u;
    let col = tile.y * TILE + lane % QUADS * 4u;
    var y_excesses = vec4(0.0);
    for (var c = 0u; c < 4u; c++) {
        y_excesses[c] = excess(y_excess[min(col + c, params.cols - 1u)]);
    }
    var s: Quad;
    for (var r = 0u; r < 4u; r++) {
        let both = excess(x_excess[min(row + r, params.rows - 1u)]) + y_excesses;
        let dots = high[r] + low[r];
        if SPLIT {
            s.high[r] = high[r];
            s.low[r] = low[r] - dots * both;
        } else {
            s.high[r] = fma(-dots, both, dots);
        }
    }
    return s;
}

fn excess(of_row: vec2<f32>) -> f32 {
    return select(of_row.x, of_row.y, SPLIT);
}

// Column `lane % 16` of the panel's next 16 dimensions, four rows of it: neighbours read neighbours.
fn four_of_x(tile_row: u32, depth: u32, lane: u32) -> vec4<f32> {
    let k = depth + lane % DEPTH;
    let row = tile_row * TILE + lane / DEPTH * 4u;
    var four = vec4(0.0);
    for (var c = 0u; c < 4u; c++) {
        if k < params.dims && row + c < params.rows {
            four[c] = x[(row + c) * params.dims + k];
        }
    }
    return four;
}

fn four_of_y(tile_col: u32, depth: u32, lane: u32) -> vec4<f32> {
    let k = depth + lane % DEPTH;
    let col = tile_col * TILE + lane / DEPTH * 4u;
    var four = vec4(0.0);
    for (var c = 0u; c < 4u; c++) {
        if k < params.dims && col + c < params.cols {
            four[c] = y[(col + c) * params.dims + k];
        }
    }
    return four;
}

fn reduce_max(value: f32, lane: u32) -> f32 {
    shared_values[lane] = value;
    for (var half = QUADS * QUADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            shared_values[lane] = max(shared_values[lane], shared_values[lane + half]);
        }
    }
    return workgroupUniformLoad(&shared_values[0]);
}

fn reduce_sum(value: f32, lane: u32) -> f32 {
    shared_values[lane] = value;
    for (var half = QUADS * QUADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            shared_values[lane] += shared_values[lane + half];
        }
    }
    return workgroupUniformLoad(&shared_values[0]);
}
