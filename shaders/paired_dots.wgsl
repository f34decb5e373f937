// ⟨xᵢ, yᵢ⟩ of every row, as a sum of two numbers: of unit rows by exact products of 12-bit halves, over their lengths,
// which are one but for rounding.
// Stands on: shared/points.wgsl, shared/row.wgsl, shared/split.wgsl.

struct Params {
    dims: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl, unit rows unless raw
@group(0) @binding(2) var<storage, read> y: array<Four>; // (rows, dims)
@group(0) @binding(3) var<storage, read> x_excess: array<vec2<f32>>; // (rows): see excess.wgsl
@group(0) @binding(4) var<storage, read> y_excess: array<vec2<f32>>; // (rows)
@group(0) @binding(5) var<storage, read_write> dots: array<vec2<f32>>; // (rows)

override UNIT: bool;

var<workgroup> parts: array<vec2<f32>, LANES>;

@compute @workgroup_size(64)
fn paired_dots(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x;
    var part = vec2(0.0);
    for (var k = lane; k < params.dims; k += LANES) {
        let at = four_at(row / 4u, k, params.dims);
        let a = unpacked(x[at])[row % 4u];
        let b = unpacked(y[at])[row % 4u];
        if UNIT {
            let halves = leading(vec4(a, b, 0.0, 0.0));
            part.x = fma(halves.x, halves.y, part.x);
            part.y += halves.x * (b - halves.y) + (a - halves.x) * b;
        } else {
            part.x = fma(a, b, part.x);
        }
    }
    parts[lane] = part;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        var dot = parts[0];
        if UNIT {
            dot.y -= (dot.x + dot.y) * (x_excess[row].y + y_excess[row].y);
        }
        dots[row] = dot;
    }
}
