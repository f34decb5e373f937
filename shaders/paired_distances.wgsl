// ‖xᵢ−yᵢ‖² of every row, by direct difference: equal rows are 0 apart, exactly.
// Stands on: shared/points.wgsl, shared/row.wgsl.

struct Params {
    dims: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read> y: array<Four>; // (rows, dims)
@group(0) @binding(3) var<storage, read_write> squares: array<f32>; // (rows)

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(64)
fn paired_distances(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var part = 0.0;
    for (var k = lane; k < params.dims; k += LANES) {
        let at = four_at(group.x / 4u, k, params.dims);
        let delta = (unpacked(x[at]) - unpacked(y[at]))[group.x % 4u];
        part = fma(delta, delta, part);
    }
    parts[lane] = part;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        squares[group.x] = parts[0];
    }
}
