// Rows in a new order: every row that a list names, as it was before it was packed, and its inverse length.
// Stands on: shared/points.wgsl, shared/row.wgsl.

struct Params {
    dims: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (…, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read> inverse_lengths: array<u32>; // (…), of raw points bits that mean nothing
@group(0) @binding(3) var<storage, read> list: array<vec2<u32>>; // where a row goes, and where it comes from
@group(0) @binding(4) var<storage, read_write> rows: array<f32>; // (…, dims)
@group(0) @binding(5) var<storage, read_write> lengths: array<u32>; // (…)

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let to = list[group.x].x;
    let source = list[group.x].y;
    for (var k = lane; k < params.dims; k += LANES) {
        rows[to * params.dims + k] = unpacked(x[four_at(source / 4u, k, params.dims)])[source % 4u];
    }
    if lane == 0u {
        lengths[to] = inverse_lengths[source];
    }
}
