// How many pairs of a block have a cosine in each of equal parts of [−1, 1]: 16 rows a workgroup, counted there and then
// added to what is counted elsewhere.
// Stands on: shared/pairs.wgsl.

struct Params {
    rows: u32,
    cols: u32,
    stride: u32, // from a row of similarities to the next, by fours
    diagonal: u32, // see shared/pairs.wgsl
    first_bin: u32, // of those counted now
    bins: u32, // at most WINDOW
    last_bin: u32, // of all
    half: f32, // of the number of all
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<vec4<f32>>; // (rows, 4 · stride): see log_sum/table.wgsl
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>; // (all bins)

const LANES = 256u;
const ROWS = 16u;
const WINDOW = 2048u;

var<workgroup> local: array<atomic<u32>, WINDOW>;

@compute @workgroup_size(LANES)
fn histogram(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    for (var bin = lane; bin < WINDOW; bin += LANES) {
        atomicStore(&local[bin], 0u);
    }
    workgroupBarrier();
    let first_row = (params.first_tile + group.x) * ROWS;
    for (var row = first_row; row < min(first_row + ROWS, params.rows); row++) {
        for (var quad = lane; quad < (params.cols + 3u) / 4u; quad += LANES) {
            let cols = 4u * quad + vec4(0u, 1u, 2u, 3u);
            let counted = (cols < vec4(params.cols)) & counted_pairs(params.diagonal, row, cols);
            let part = (table[row * params.stride + quad] + 1.0) * params.half;
            let bins = vec4<u32>(clamp(part, vec4(0.0), vec4(f32(params.last_bin))));
            count(bins.x, counted.x);
            count(bins.y, counted.y);
            count(bins.z, counted.z);
            count(bins.w, counted.w);
        }
    }
    workgroupBarrier();
    for (var bin = lane; bin < params.bins; bin += LANES) {
        let counted = atomicLoad(&local[bin]);
        if counted > 0u {
            atomicAdd(&counts[params.first_bin + bin], counted);
        }
    }
}

fn count(bin: u32, counted: bool) {
    // Bins below the first wrap around, beyond all that are.
    if counted && bin - params.first_bin < params.bins {
        atomicAdd(&local[bin - params.first_bin], 1u);
    }
}
