// Rows scaled to unit length, or copied where they stay raw; every value checked on its bit pattern.
//
// A workgroup works on four rows, which lie side by side in memory. Squares of f32 overflow beyond 1e19 and vanish
// below 1e-19, so each row is first scaled by a power of two, exactly, to have its largest coordinate in [1, 2). A row
// whose length is one but for rounding is kept.
// Stands on: shared/points.wgsl, shared/row.wgsl.

struct Params {
    rows: u32,
    dims: u32,
    first_row: u32, // of these rows in the whole set
    largest: u32, // bits of the largest magnitude taken
    least: u32, // bits of the least largest coordinate of a row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> given: array<u32>; // (rows, dims): f32, seen as bits until known to be finite
@group(0) @binding(2) var<storage, read_write> points: array<Four>; // (rows, dims): see shared/points.wgsl
@group(0) @binding(3) var<storage, read_write> inverse_lengths: array<f32>; // (rows)
@group(0) @binding(4) var<storage, read_write> first_bad_row: atomic<u32>;

override UNIT: bool;

var<workgroup> largest: array<vec4<u32>, LANES>;
var<workgroup> squares: array<vec4<f32>, LANES>;

@compute @workgroup_size(64)
fn normalize_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = 4u * group.x;
    var bits = vec4(0u);
    for (var k = lane; k < params.dims; k += LANES) {
        bits = max(bits, bits_at(row, k) & vec4(0x7fffffffu));
    }
    largest[lane] = bits;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            largest[lane] = max(largest[lane], largest[lane + half]);
        }
    }
    bits = workgroupUniformLoad(&largest[0]);

    // Not finite, too large, or (in a unit row) all but zero: the host will say which. Rows beyond the last are zeros,
    // and not bad.
    let rows = row + vec4(0u, 1u, 2u, 3u);
    let bad = ((bits > vec4(params.largest)) | (bits < vec4(params.least))) & (rows < vec4(params.rows));
    if any(bad) {
        if lane == 0u {
            let first = select(vec4(params.rows), rows, bad);
            atomicMin(&first_bad_row, params.first_row + min(min(first.x, first.y), min(first.z, first.w)));
        }
        return;
    }
    if !UNIT {
        for (var k = lane; k < params.dims; k += LANES) {
            points[four_at(group.x, k, params.dims)] = packed(bitcast<vec4<f32>>(bits_at(row, k)));
        }
        return;
    }

    let exponent = max(bits >> vec4(23u), vec4(1u));
    let scale = bitcast<vec4<f32>>((vec4(254u) - exponent) << vec4(23u));
    var square = vec4(0.0);
    for (var k = lane; k < params.dims; k += LANES) {
        let v = bitcast<vec4<f32>>(bits_at(row, k)) * scale;
        square = fma(v, v, square);
    }
    squares[lane] = square;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            squares[lane] += squares[lane + half];
        }
    }
    // Of rows beyond the last it is 0, and any factor serves.
    square = max(workgroupUniformLoad(&squares[0]), vec4(0.5));

    // One step of Newton's makes up for a coarse inverseSqrt.
    let coarse = inverseSqrt(square);
    let inverse = coarse * (1.5 - 0.5 * (square * coarse) * coarse);
    // Far from one, the square of the scale would overflow; such rows are never kept.
    let near_one = (exponent > vec4(100u)) & (exponent < vec4(130u));
    let unit = abs(square / (scale * scale) - 1.0) <= vec4(2.384185791015625e-7);
    let kept = near_one & unit;
    for (var k = lane; k < params.dims; k += LANES) {
        let v = bitcast<vec4<f32>>(bits_at(row, k));
        points[four_at(group.x, k, params.dims)] = packed(select(v * scale * inverse, v, kept));
    }
    if lane < 4u && row + lane < params.rows {
        let factor = select(scale * inverse, vec4(1.0), kept);
        inverse_lengths[row + lane] = factor[lane];
    }
}

// A coordinate of four rows, 0 beyond the last.
fn bits_at(row: u32, k: u32) -> vec4<u32> {
    return vec4(bit_at(row, k), bit_at(row + 1u, k), bit_at(row + 2u, k), bit_at(row + 3u, k));
}

fn bit_at(row: u32, k: u32) -> u32 {
    if row < params.rows {
        return given[row * params.dims + k];
    }
    return 0u;
}
