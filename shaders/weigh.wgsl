// From the similarities of a block to the weights of its pairs, in place: exp(κs + pᵢ + qⱼ), or
// exp(κs + pᵢ) + exp(κs + qⱼ); 0 where pairs do not count, up to whole tiles of 64.
//
// A factor exp(p) comes as f·exp(−κa) of a similarity a: s − a is small where the weight is not, and keeps its digits.
// Stands on: shared/exp.wgsl, shared/pairs.wgsl, shared/tile_sum.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    stride: u32, // from a row of similarities to the next, by fours
    diagonal: u32, // see shared/pairs.wgsl
    // 1: the sum of two exponentials.
    sum: u32,
    first_tile: u32,
    first_sum: u32,
    // The parts of a Scale.
    scale_high: f32,
    scale_low: f32,
    scale_least: f32,
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> table: array<vec4<f32>>; // (rows, 4 · stride): see log_sum/table.wgsl
@group(0) @binding(2) var<storage, read> p: array<vec2<f32>>; // (rows): a and f, which is 0 where there is no factor
@group(0) @binding(3) var<storage, read> q: array<vec2<f32>>; // (cols)
@group(0) @binding(4) var<storage, read_write> sums: array<TileSum>; // the largest exponent / κ of a tile, and its weights

const LANES = 256u;
// Rows of a tile, and its columns by fours.
const ROWS = 64u;
const QUADS = 64u;
const NONE = -3.0e38;

var<workgroup> parts: array<vec2<f32>, LANES>;

@compute @workgroup_size(LANES)
fn weigh(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let across = (params.cols + 4u * QUADS - 1u) / (4u * QUADS);
    let number = params.first_tile + group.x;
    let first_row = number / across * ROWS;
    let quad = number % across * QUADS + lane % QUADS;
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    let cols = 4u * quad + vec4(0u, 1u, 2u, 3u);
    let at = min(cols, vec4(params.cols - 1u));
    let q0 = q[at.x];
    let q1 = q[at.y];
    let q2 = q[at.z];
    let q3 = q[at.w];
    let b = vec4(q0.x, q1.x, q2.x, q3.x);
    let g = vec4(q0.y, q1.y, q2.y, q3.y);
    let inside = cols < vec4(params.cols);

    var most = vec4(NONE);
    var total = vec4(0.0);
    // Rows and columns are filled up to whole tiles of 64, and not of this one.
    if quad < (params.cols + 63u) / 64u * 16u {
        for (var row = first_row + lane / QUADS; row < first_row + ROWS; row += LANES / QUADS) {
            let own = p[min(row, params.rows - 1u)];
            let s = table[row * params.stride + quad];
            let counted = inside & vec4(row < params.rows) & counted_pairs(params.diagonal, row, cols);
            let by_row = counted & vec4(own.y > 0.0);
            let by_col = counted & (g > vec4(0.0));
            var w: vec4<f32>;
            if params.sum == 1u {
                let z = s - own.x;
                let v = s - b;
                most = max(most, max(select(vec4(NONE), z, by_row), select(vec4(NONE), v, by_col)));
                w = select(vec4(0.0), own.y * exp_scaled(scale, z), by_row);
                w += select(vec4(0.0), g * exp_scaled(scale, v), by_col);
            } else {
                let z = s - own.x - b;
                most = max(most, select(vec4(NONE), z, by_row & by_col));
                w = select(vec4(0.0), own.y * g * exp_scaled(scale, z), by_row & by_col);
            }
            table[row * params.stride + quad] = w;
            total += w;
        }
    }

    let largest = max(max(most.x, most.y), max(most.z, most.w));
    parts[lane] = vec2(largest, (total.x + total.y) + (total.z + total.w));
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            let other = parts[lane + half];
            parts[lane] = vec2(max(parts[lane].x, other.x), parts[lane].y + other.y);
        }
    }
    if lane == 0u {
        sums[params.first_sum + group.x] = TileSum(parts[0].x, parts[0].y);
    }
}
