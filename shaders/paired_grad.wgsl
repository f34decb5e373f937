// The gradient of ½ Σ cᵢ‖xᵢ−yᵢ‖² for x and y, added to what is there: ±cᵢ(xᵢ−yᵢ) of raw points, and its part
// tangent to the sphere over the row's length through the scaling to unit length. Or, of raw points, that of
// Σ cᵢ⟨xᵢ, yᵢ⟩: cᵢyᵢ and cᵢxᵢ.
// Stands on: shared/finite.wgsl, shared/points.wgsl, shared/row.wgsl.

struct Params {
    dims: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl, unit rows unless raw
@group(0) @binding(2) var<storage, read> y: array<Four>; // (rows, dims)
@group(0) @binding(3) var<storage, read> x_inverse_lengths: array<f32>; // (rows), read of unit rows only
@group(0) @binding(4) var<storage, read> y_inverse_lengths: array<f32>; // (rows)
@group(0) @binding(5) var<storage, read> coefficients: array<f32>; // (rows)
@group(0) @binding(6) var<storage, read_write> x_gradient: array<f32>; // (rows, dims)
@group(0) @binding(7) var<storage, read_write> y_gradient: array<f32>; // (rows, dims)

override UNIT: bool;
// Of dot products, and not of distances.
override DOTS: bool;

var<workgroup> products: array<vec2<f32>, LANES>;

@compute @workgroup_size(64)
fn paired_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.dims;
    let coefficient = coefficients[group.x];
    // (x−y)·x and (x−y)·y
    var along = vec2(0.0);
    var inverse_lengths = vec2(1.0);
    if UNIT {
        for (var k = lane; k < params.dims; k += LANES) {
            let both = both_at(group.x, k);
            along = fma(vec2(both.x - both.y), both, along);
        }
        products[lane] = along;
        for (var half = LANES / 2u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if lane < half {
                products[lane] += products[lane + half];
            }
        }
        along = workgroupUniformLoad(&products[0]);
        inverse_lengths = vec2(x_inverse_lengths[group.x], y_inverse_lengths[group.x]);
    }
    for (var k = lane; k < params.dims; k += LANES) {
        let both = both_at(group.x, k);
        let apart = vec2(both.x - both.y) - along * both;
        let own = select(vec2(apart.x, -apart.y), both.yx, DOTS) * coefficient * inverse_lengths;
        x_gradient[start + k] = finite(x_gradient[start + k] + own.x);
        y_gradient[start + k] = finite(y_gradient[start + k] + own.y);
    }
}

// A coordinate of a row of x and of y.
fn both_at(row: u32, k: u32) -> vec2<f32> {
    let at = four_at(row / 4u, k, params.dims);
    return vec2(unpacked(x[at])[row % 4u], unpacked(y[at])[row % 4u]);
}
