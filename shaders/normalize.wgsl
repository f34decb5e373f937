// Rows scaled to unit length, or copied where they stay raw; every value checked on its bit pattern.
//
// Squares of f32 overflow beyond 1e19 and vanish below 1e-19, so each row is first scaled by a power of two,
// exactly, to have its largest coordinate in [1, 2). A row whose length is one but for rounding is kept.
// Stands on: shared/row.wgsl.

struct Params {
    dims: u32,
    first_row: u32, // of these rows in the whole set
    largest: u32, // bits of the largest magnitude taken
    least: u32, // bits of the least largest coordinate of a row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> given: array<u32>; // (rows, dims): f32, seen as bits until known to be finite
@group(0) @binding(2) var<storage, read_write> points: array<f32>; // (rows, dims)
@group(0) @binding(3) var<storage, read_write> inverse_lengths: array<f32>; // (rows)
@group(0) @binding(4) var<storage, read_write> first_bad_row: atomic<u32>;

override UNIT: bool;

var<workgroup> largest: array<u32, LANES>;
var<workgroup> squares: array<f32, LANES>;

@compute @workgroup_size(64)
fn normalize_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x;
    let start = row * params.dims;

    var bits = 0u;
    for (var k = lane; k < params.dims; k += LANES) {
        bits = max(bits, given[start + k] & 0x7fffffffu);
    }
    largest[lane] = bits;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            largest[lane] = max(largest[lane], largest[lane + half]);
        }
    }
    bits = workgroupUniformLoad(&largest[0]);

    // Not finite, too large, or (in a unit row) all but zero: the host will say which.
    if bits > params.largest || bits < params.least {
        if lane == 0u {
            atomicMin(&first_bad_row, params.first_row + row);
        }
        return;
    }
    if !UNIT {
        for (var k = lane; k < params.dims; k += LANES) {
            points[start + k] = bitcast<f32>(given[start + k]);
        }
        return;
    }

    let exponent = bits >> 23u;
    let scale = bitcast<f32>((254u - exponent) << 23u);
    var square = 0.0;
    for (var k = lane; k < params.dims; k += LANES) {
        let v = bitcast<f32>(given[start + k]) * scale;
        square = fma(v, v, square);
    }
    squares[lane] = square;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            squares[lane] += squares[lane + half];
        }
    }
    square = workgroupUniformLoad(&squares[0]);

    // One step of Newton's makes up for a coarse inverseSqrt.
    let coarse = inverseSqrt(square);
    let inverse = coarse * (1.5 - 0.5 * (square * coarse) * coarse);
    // Far from one, the square of the scale would overflow; such rows are never kept.
    let near_one = exponent > 100u && exponent < 130u;
    let kept = near_one && abs(square / (scale * scale) - 1.0) <= 2.384185791015625e-7;
    for (var k = lane; k < params.dims; k += LANES) {
        let v = bitcast<f32>(given[start + k]);
        points[start + k] = select(v * scale * inverse, v, kept);
    }
    if lane == 0u {
        inverse_lengths[row] = select(scale * inverse, 1.0, kept);
    }
}
