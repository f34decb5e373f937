// The sum of a panel's rows, added to that of others: their mean is what halve.wgsl subtracts.
// Stands on: shared/points.wgsl.

struct Params {
    rows: u32,
    dims: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read_write> sum: array<f32>; // (dims)

const LANES = 64u;

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn centre(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let k = group.x;
    var part = vec4(0.0);
    // Rows beyond the last are zeros.
    for (var quad = lane; quad < (params.rows + 3u) / 4u; quad += LANES) {
        part += unpacked(x[four_at(quad, k, params.dims)]);
    }
    parts[lane] = (part.x + part.y) + (part.z + part.w);
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        sum[k] += parts[0];
    }
}
