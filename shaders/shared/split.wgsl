// The leading 12 bits of coordinates of unit rows: products of two such are multiples of 2^-22, and dot products
// of at most 1 are summed from them without any rounding, in whatever order.
fn leading(v: vec4<f32>) -> vec4<f32> {
    return round(v * 2048.0) * (1.0 / 2048.0);
}
