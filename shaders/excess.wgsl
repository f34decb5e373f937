// How far the length of each unit row is from one, which rounding leaves at about 1e-8: (‖x‖² − 1) / 2.
//
// Two values a row: ‖x‖² summed in the order in which log_sum.wgsl sums x·y, so that equal rows have the cosine
// 1 exactly; and ‖x‖² by exact products of 12-bit halves, as its SPLIT has it.
// Stands on: shared/points.wgsl, shared/split.wgsl.

struct Params {
    rows: u32,
    dims: u32,
    // 0, which compilers must not know.
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read_write> excess: array<vec2<f32>>; // (rows)

// As in log_sum.wgsl.
override FOLD: u32;

@compute @workgroup_size(64)
fn excess_of_rows(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if row >= params.rows {
        return;
    }
    var square = 0.0;
    var high = 0.0;
    var low = 0.0;
    for (var k = 0u; k < params.dims; k += FOLD) {
        var part = 0.0;
        for (var i = k; i < min(k + FOLD, params.dims); i++) {
            let v = unpacked(x[four_at(row / 4u, i, params.dims)])[row % 4u];
            part = fma(v, v, part);
            let v_high = leading(vec4(v)).x;
            let v_low = v - v_high;
            high = fma(v_high, v_high, high);
            low += v_high * v_low + v_low * v;
        }
        square += part;
    }
    // A compiler that regrouped this sum would lose the low half.
    let rest = bitcast<f32>(bitcast<u32>(high - 1.0) ^ params.zero);
    excess[row] = 0.5 * vec2(square - 1.0, rest + low);
}
