// exp(κz) for z up to about 0, correct to about an ulp on every driver: the built-in may err by more, and κz rounded to
// f32 would err in proportion to its size.

// κ·log₂e in two parts, of which the first has 12 significant bits, and the least z that is told from it.
struct Scale {
    high: f32,
    low: f32,
    least: f32,
    // 0, which compilers must not know.
    zero: u32,
}

// v, out of sight of a compiler that would regroup sums: those here are exact only as they stand.
fn opaque(v: vec4<f32>, zero: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) ^ vec4(zero));
}

// 2^(κ·log₂e·z), between 2^-125 and 2^12.5: no denormal occurs, and nothing overflows where rounding lifts z above
// 0 or where z means nothing. The product of two 12-bit numbers is exact, with or without fused multiply-add.
fn exp_scaled(scale: Scale, z: vec4<f32>) -> vec4<f32> {
    let y = clamp(z, vec4(scale.least), vec4(-0.1 * scale.least));
    let leading = bitcast<vec4<f32>>(bitcast<vec4<u32>>(y) & vec4(0xfffff000u));
    let whole = round(scale.high * y);
    let rest = opaque(scale.high * leading - whole, scale.zero);
    let f = rest + (scale.high * (y - leading) + scale.low * y);
    return exp2_fraction(f) * bitcast<vec4<f32>>(vec4<i32>(whole + 127.0) << vec4(23u));
}

// 2^f for |f| ≤ ½: the Taylor series of exp(f·ln 2), whose remainder is below 6e-9 there.
fn exp2_fraction(f: vec4<f32>) -> vec4<f32> {
    var p = vec4(1.5252734e-5);
    p = fma(p, f, vec4(1.5403530e-4));
    p = fma(p, f, vec4(1.3333558e-3));
    p = fma(p, f, vec4(9.6181291e-3));
    p = fma(p, f, vec4(5.5504109e-2));
    p = fma(p, f, vec4(2.4022651e-1));
    p = fma(p, f, vec4(6.9314718e-1));
    return fma(p, f, vec4(1.0));
}
