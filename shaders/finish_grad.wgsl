// The gradient for the rows as given, from the weighted sums G of weighted_sums.wgsl, in place: scale · G of raw
// points; scale · (I − xxᵀ)G / length through the scaling to unit length, where what is along x drops out.
// Stands on: shared/finite.wgsl, shared/row.wgsl.

struct Params {
    dims: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // (rows, dims), unit rows unless raw
@group(0) @binding(2) var<storage, read> inverse_lengths: array<f32>; // (rows), read of unit rows only
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>; // (rows, dims)

override UNIT: bool;

var<workgroup> products: array<f32, LANES>;

@compute @workgroup_size(64)
fn finish_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.dims;
    var inverse_length = 1.0;
    if UNIT {
        // Twice: where the part along the row dwarfs the rest, once leaves its rounding behind.
        remove_along(start, lane);
        remove_along(start, lane);
        inverse_length = inverse_lengths[group.x];
    }
    for (var k = lane; k < params.dims; k += LANES) {
        gradient[start + k] = finite(finite(params.scale * gradient[start + k]) * inverse_length);
    }
}

fn remove_along(start: u32, lane: u32) {
    var product = 0.0;
    for (var k = lane; k < params.dims; k += LANES) {
        product = fma(gradient[start + k], x[start + k], product);
    }
    products[lane] = product;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            products[lane] += products[lane + half];
        }
    }
    let along = workgroupUniformLoad(&products[0]);
    for (var k = lane; k < params.dims; k += LANES) {
        gradient[start + k] -= along * x[start + k];
    }
}
