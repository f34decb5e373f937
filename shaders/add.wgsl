// One matrix added to another, row by row.
// Stands on: shared/finite.wgsl, shared/row.wgsl.

struct Params {
    dims: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> part: array<f32>; // (rows, dims)
@group(0) @binding(2) var<storage, read_write> sum: array<f32>; // (rows, dims)

@compute @workgroup_size(64)
fn add_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.dims;
    for (var k = lane; k < params.dims; k += LANES) {
        sum[start + k] = finite(sum[start + k] + part[start + k]);
    }
}
