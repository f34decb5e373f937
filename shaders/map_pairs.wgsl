// From the similarities of a block to a function f of each pair that is no exponential: its sums tile by tile, and its slopes
// in place of the similarities; 0 where pairs do not count, up to whole tiles of 64.
//
// SOFTPLUS: f = log(1 + exp(e)), e = factor·s + bias, and the slope is f′(e). GAUSSIAN_LOSS: f = 1 − exp(−q) with q = factor·s,
// and the slope is f′(q). Otherwise f = q^half with q = factor·s, and the
// slope is f′(q), times the weight of the class of both rows, or 0 where the classes differ.
// Stands on: shared/exp.wgsl, shared/pairs.wgsl, shared/tile_sum.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    stride: u32, // from a row of similarities to the next, by fours
    diagonal: u32, // see shared/pairs.wgsl
    first_tile: u32,
    first_sum: u32,
    factor: f32,
    bias: f32,
    half: f32,
    // The parts of the Scale of exp(z).
    scale_high: f32,
    scale_low: f32,
    scale_least: f32,
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> table: array<vec4<f32>>; // (rows, 4 · stride): see log_sum/table.wgsl
@group(0) @binding(2) var<storage, read> of_rows: array<vec2<u32>>; // (rows): class and the bits of its weight
@group(0) @binding(3) var<storage, read> of_cols: array<vec2<u32>>; // (cols)
@group(0) @binding(4) var<storage, read_write> sums: array<TileSum>; // Σ f, Σ slopes, Σ slopes · factor·s of each tile

override SOFTPLUS: bool;
override GAUSSIAN_LOSS: bool;

const LANES = 256u;
// Rows of a tile, and its columns by fours.
const ROWS = 64u;
const QUADS = 64u;
// Beyond, values have no meaning, which the host sees in a tile's sum.
const MOST = 1.0e30;

struct Mapped {
    value: vec4<f32>,
    slope: vec4<f32>,
    along: vec4<f32>,
}

var<workgroup> parts: array<vec3<f32>, LANES>;

@compute @workgroup_size(LANES)
fn map_pairs(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let in_class = !SOFTPLUS && !GAUSSIAN_LOSS;
    let across = (params.cols + 4u * QUADS - 1u) / (4u * QUADS);
    let number = params.first_tile + group.x;
    let first_row = number / across * ROWS;
    let quad = number % across * QUADS + lane % QUADS;
    let cols = 4u * quad + vec4(0u, 1u, 2u, 3u);
    let inside = cols < vec4(params.cols);
    var class_of_cols: vec4<u32>;
    if in_class {
        let at = min(cols, vec4(params.cols - 1u));
        class_of_cols = vec4(of_cols[at.x].x, of_cols[at.y].x, of_cols[at.z].x, of_cols[at.w].x);
    }

    var total = vec3(0.0);
    // Rows and columns are filled up to whole tiles of 64, and not of this one.
    if quad < (params.cols + 63u) / 64u * 16u {
        for (var row = first_row + lane / QUADS; row < first_row + ROWS; row += LANES / QUADS) {
            let place = row * params.stride + quad;
            var counted = inside & vec4(row < params.rows) & counted_pairs(params.diagonal, row, cols);
            var weight = 1.0;
            if in_class {
                let own = of_rows[min(row, params.rows - 1u)];
                counted &= class_of_cols == vec4(own.x);
                weight = bitcast<f32>(own.y);
            }
            var pair: Mapped;
            if any(counted) {
                pair = mapped(select(vec4(0.0), table[place], counted));
            }
            let value = select(vec4(0.0), weight * pair.value, counted);
            let slope = select(vec4(0.0), weight * pair.slope, counted);
            let along = select(vec4(0.0), weight * pair.along, counted);
            table[place] = slope;
            total += vec3(across_quad(value), across_quad(slope), across_quad(along));
        }
    }

    parts[lane] = total;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        let first = params.first_sum + 3u * group.x;
        sums[first] = TileSum(0.0, parts[0].x);
        sums[first + 1u] = TileSum(0.0, parts[0].y);
        sums[first + 2u] = TileSum(0.0, parts[0].z);
    }
}

fn across_quad(v: vec4<f32>) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

fn mapped(s: vec4<f32>) -> Mapped {
    if SOFTPLUS {
        return softplus(s);
    }
    if GAUSSIAN_LOSS {
        return gaussian_loss(s);
    }
    return power(s);
}

fn softplus(s: vec4<f32>) -> Mapped {
    let most = vec4(MOST);
    let logit = clamp(params.factor * clamp(s, -most, most), -most, most);
    let e = clamp(fma(vec4(params.factor), clamp(s, -most, most), vec4(params.bias)), -most, most);
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    let u = exp_scaled(scale, -abs(e));
    let share = 1.0 / (1.0 + u);
    let slope = select(u * share, share, e > vec4(0.0));
    return Mapped(max(e, vec4(0.0)) + log_one_plus(u), slope, slope * logit);
}

// log(1 + u) for u in [0, 1], to the last digits of small ones too: 2 artanh(v / (2 + v)) with v = u, or (u − 1) / 2 and a
// factor of 2.
fn log_one_plus(u: vec4<f32>) -> vec4<f32> {
    let large = u > vec4(0.41421356);
    let v = select(u, 0.5 * (u - 1.0), large);
    let z = v / (2.0 + v);
    let square = z * z;
    var series = vec4(1.0 / 11.0);
    series = fma(series, square, vec4(1.0 / 9.0));
    series = fma(series, square, vec4(1.0 / 7.0));
    series = fma(series, square, vec4(0.2));
    series = fma(series, square, vec4(1.0 / 3.0));
    series = fma(series, square, vec4(1.0));
    return 2.0 * z * series + select(vec4(0.0), vec4(0.69314718), large);
}

// By its series −expm1(−q) = q (1 − q/2 (1 − q/3 (…))) next to 0, where the exponential has lost the digits. It is right to the
// last digit: the few that shared/exp_less_one.wgsl may be off would show in a difference of means.
fn gaussian_loss(s: vec4<f32>) -> Mapped {
    let q = min(params.factor * s, vec4(100.0));
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    let kernel = exp_scaled(scale, -q);
    var series = vec4(1.0);
    series = fma(-q / 7.0, series, vec4(1.0));
    series = fma(-q / 6.0, series, vec4(1.0));
    series = fma(-q / 5.0, series, vec4(1.0));
    series = fma(-q / 4.0, series, vec4(1.0));
    series = fma(-q / 3.0, series, vec4(1.0));
    series = fma(-q / 2.0, series, vec4(1.0));
    return Mapped(select(1.0 - kernel, q * series, q < vec4(0.25)), kernel, vec4(0.0));
}

fn power(s: vec4<f32>) -> Mapped {
    let q = params.factor * s;
    if params.half == 1.0 {
        return Mapped(q, vec4(1.0), vec4(0.0));
    }
    // By definition, nothing comes of a pair that coincides.
    let apart = q > vec4(0.0);
    let base = select(vec4(1.0), q, apart);
    var f: vec4<f32>;
    if params.half == 0.5 {
        f = sqrt(base);
    } else {
        f = exp2(min(params.half * log2(base), vec4(99.0)));
    }
    let slope = min(params.half * f / base, vec4(MOST));
    return Mapped(select(vec4(0.0), f, apart), select(vec4(0.0), slope, apart), vec4(0.0));
}
