// Σ mⱼ exp(κs) over the pairs of every rectangle of a block, for one κ or several; whole rows are rectangles too.
// Stands on: shared/exp.wgsl, shared/exp_less_one.wgsl, shared/pairs.wgsl, shared/tile_sum.wgsl.

struct Params {
    stride: u32, // from a row of similarities to the next, by fours
    diagonal: u32, // see shared/pairs.wgsl
    across: u32, // rectangles side by side
    scales: u32,
    first_tile: u32,
    first_sum: u32,
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>; // (rows, 4 · stride): see log_sum/table.wgsl
@group(0) @binding(2) var<storage, read> row_cuts: array<u32>; // where rectangles begin, and the last end
@group(0) @binding(3) var<storage, read> col_cuts: array<u32>;
@group(0) @binding(4) var<storage, read> masses: array<f32>; // (cols)
@group(0) @binding(5) var<storage, read> scales: array<vec4<f32>>; // (scales): the parts of a Scale
@group(0) @binding(6) var<storage, read_write> sums: array<TileSum>; // (rectangles, scales)

const LANES = 256u;
const NONE = -3.0e38;

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn rectangle_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = params.first_tile + group.x;
    let down = number / params.across;
    let along = number % params.across;
    let rows = vec2(row_cuts[down], row_cuts[down + 1u]);
    let cols = vec2(col_cuts[along], col_cuts[along + 1u]);
    // Four columns an invocation; as many of them side by side as a rectangle is wide.
    let wide = min(LANES, 1u << (32u - countLeadingZeros((cols.y - cols.x + 3u) / 4u - 1u)));

    var most = vec4(NONE);
    for (var row = rows.x + lane / wide; row < rows.y; row += LANES / wide) {
        for (var col = cols.x + lane % wide; col < cols.y; col += 4u * wide) {
            let four = col + wide * vec4(0u, 1u, 2u, 3u);
            most = max(most, select(vec4(NONE), similarities(row, four, cols.y), counted(row, four, cols.y)));
        }
    }
    parts[lane] = max(max(most.x, most.y), max(most.z, most.w));
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] = max(parts[lane], parts[lane + half]);
        }
    }
    let pivot = select(workgroupUniformLoad(&parts[0]), 0.0, LESS_ONE);

    for (var k = 0u; k < params.scales; k++) {
        let parts_of_scale = scales[k];
        let scale = Scale(parts_of_scale.x, parts_of_scale.y, parts_of_scale.z, params.zero);
        var sum = vec4(0.0);
        for (var row = rows.x + lane / wide; row < rows.y; row += LANES / wide) {
            for (var col = cols.x + lane % wide; col < cols.y; col += 4u * wide) {
                let four = col + wide * vec4(0u, 1u, 2u, 3u);
                let w = masses_of(four, cols.y) * term(scale, similarities(row, four, cols.y) - pivot);
                sum += select(vec4(0.0), w, counted(row, four, cols.y));
            }
        }
        parts[lane] = (sum.x + sum.y) + (sum.z + sum.w);
        for (var half = LANES / 2u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if lane < half {
                parts[lane] += parts[lane + half];
            }
        }
        let total = workgroupUniformLoad(&parts[0]);
        if lane == 0u {
            sums[params.first_sum + group.x * params.scales + k] = TileSum(pivot, total);
        }
    }
}

// What lies beyond the last column is not counted.
fn similarities(row: u32, cols: vec4<u32>, end: u32) -> vec4<f32> {
    let at = row * 4u * params.stride + min(cols, vec4(end - 1u));
    return vec4(table[at.x], table[at.y], table[at.z], table[at.w]);
}

fn masses_of(cols: vec4<u32>, end: u32) -> vec4<f32> {
    let at = min(cols, vec4(end - 1u));
    return vec4(masses[at.x], masses[at.y], masses[at.z], masses[at.w]);
}

fn counted(row: u32, cols: vec4<u32>, end: u32) -> vec4<bool> {
    let inside = (cols < vec4(end)) & (masses_of(cols, end) > vec4(0.0));
    return inside & counted_pairs(params.diagonal, row, cols);
}
