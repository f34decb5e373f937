// Σ mᵢ exp(κs) over the pairs of every column of a block: 16 columns a workgroup.
// Stands on: shared/exp.wgsl, shared/exp_less_one.wgsl, shared/pairs.wgsl, shared/tile_sum.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    stride: u32, // from a row of similarities to the next, by fours
    diagonal: u32, // see shared/pairs.wgsl
    first_tile: u32,
    first_sum: u32,
    // The parts of a Scale.
    scale_high: f32,
    scale_low: f32,
    scale_least: f32,
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<vec4<f32>>; // (rows, 4 · stride): see log_sum/table.wgsl
@group(0) @binding(2) var<storage, read> masses: array<f32>; // (rows)
@group(0) @binding(3) var<storage, read_write> sums: array<TileSum>; // (cols), filled up to whole workgroups

const LANES = 256u;
// Columns of a workgroup, by fours.
const QUADS = 4u;
const NONE = -3.0e38;

var<workgroup> parts: array<vec4<f32>, LANES>; // [row][column / 4]

@compute @workgroup_size(LANES)
fn column_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let quad = (params.first_tile + group.x) * QUADS + lane % QUADS;
    let cols = 4u * quad + vec4(0u, 1u, 2u, 3u);

    var most = vec4(NONE);
    for (var row = lane / QUADS; row < params.rows; row += LANES / QUADS) {
        most = max(most, select(vec4(NONE), table[row * params.stride + quad], counted(row, cols)));
    }
    parts[lane] = most;
    for (var half = LANES / 2u; half >= QUADS; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] = max(parts[lane], parts[lane + half]);
        }
    }
    workgroupBarrier();
    let pivot = select(parts[lane % QUADS], vec4(0.0), vec4(LESS_ONE));
    // The sums take their place.
    workgroupBarrier();

    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    var sum = vec4(0.0);
    for (var row = lane / QUADS; row < params.rows; row += LANES / QUADS) {
        let w = masses[row] * term(scale, table[row * params.stride + quad] - pivot);
        sum += select(vec4(0.0), w, counted(row, cols));
    }
    parts[lane] = sum;
    for (var half = LANES / 2u; half >= QUADS; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane < QUADS {
        let start = params.first_sum + 4u * (group.x * QUADS + lane);
        let total = parts[lane];
        sums[start] = TileSum(pivot.x, total.x);
        sums[start + 1u] = TileSum(pivot.y, total.y);
        sums[start + 2u] = TileSum(pivot.z, total.z);
        sums[start + 3u] = TileSum(pivot.w, total.w);
    }
}

fn counted(row: u32, cols: vec4<u32>) -> vec4<bool> {
    let inside = (cols < vec4(params.cols)) & vec4(masses[row] > 0.0);
    return inside & counted_pairs(params.diagonal, row, cols);
}
