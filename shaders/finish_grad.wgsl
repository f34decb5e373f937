// The gradient for the rows as given, from the weighted sums G, in place: scale · G of raw points;
// scale · (I − xxᵀ)G / length through the scaling to unit length, where what is along x drops out.
//
// Says of every row how much dropped out: ‖G‖², ‖(I − xxᵀ)G‖² and x·G; of raw points x·G alone.
// Stands on: shared/finite.wgsl, shared/points.wgsl, shared/row.wgsl.

struct Params {
    dims: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl; unit rows unless raw
@group(0) @binding(2) var<storage, read> inverse_lengths: array<f32>; // (rows), read of unit rows only
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>; // (rows, dims)
@group(0) @binding(4) var<storage, read_write> dropped: array<vec4<f32>>; // (rows)

override UNIT: bool;

var<workgroup> products: array<vec2<f32>, LANES>;

@compute @workgroup_size(64)
fn finish_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.dims;
    var inverse_length = 1.0;
    if UNIT {
        // Twice: where the part along the row dwarfs the rest, once leaves its rounding behind.
        let before = remove_along(group.x, lane);
        let after = remove_along(group.x, lane);
        if lane == 0u {
            dropped[group.x] = vec4(finite(before.y), finite(after.y), finite(before.x), 0.0);
        }
        inverse_length = inverse_lengths[group.x];
    } else {
        let along = sums_along(group.x, lane).x;
        if lane == 0u {
            dropped[group.x] = vec4(0.0, 0.0, finite(along), 0.0);
        }
    }
    for (var k = lane; k < params.dims; k += LANES) {
        gradient[start + k] = finite(finite(params.scale * gradient[start + k]) * inverse_length);
    }
}

// Removes what is along the row; returns that, and the square of the whole.
fn remove_along(row: u32, lane: u32) -> vec2<f32> {
    let start = row * params.dims;
    let sum = sums_along(row, lane);
    for (var k = lane; k < params.dims; k += LANES) {
        gradient[start + k] -= sum.x * x_at(row, k);
    }
    return sum;
}

// x·G and ‖G‖²
fn sums_along(row: u32, lane: u32) -> vec2<f32> {
    let start = row * params.dims;
    var sum = vec2(0.0);
    for (var k = lane; k < params.dims; k += LANES) {
        let g = gradient[start + k];
        sum = fma(vec2(g), vec2(x_at(row, k), g), sum);
    }
    products[lane] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            products[lane] += products[lane + half];
        }
    }
    return workgroupUniformLoad(&products[0]);
}

fn x_at(row: u32, k: u32) -> f32 {
    return unpacked(x[four_at(row / 4u, k, params.dims)])[row % 4u];
}
