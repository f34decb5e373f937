// exp(κz) − 1 for z up to about 0, correct to a few ulps of itself even where it is near 0.
// Stands on: shared/exp.wgsl.

// Terms are exp(κz) − 1, relative to no other similarity.
override LESS_ONE: bool;

fn term(scale: Scale, z: vec4<f32>) -> vec4<f32> {
    if LESS_ONE {
        return exp_less_one(scale, z);
    }
    return exp_scaled(scale, z);
}

fn exp_less_one(scale: Scale, z: vec4<f32>) -> vec4<f32> {
    let y = clamp(z, vec4(scale.least), vec4(-0.1 * scale.least));
    let leading = bitcast<vec4<f32>>(bitcast<vec4<u32>>(y) & vec4(0xfffff000u));
    let whole = round(scale.high * y);
    let rest = opaque(scale.high * leading - whole, scale.zero);
    let f = rest + (scale.high * (y - leading) + scale.low * y);
    let power = bitcast<vec4<f32>>(vec4<i32>(whole + 127.0) << vec4(23u));
    return power * exp2_fraction_less_one(f) + (power - 1.0);
}

// 2^f − 1 for |f| ≤ ½: the series of exp2_fraction without its first term.
fn exp2_fraction_less_one(f: vec4<f32>) -> vec4<f32> {
    var p = vec4(1.5252734e-5);
    p = fma(p, f, vec4(1.5403530e-4));
    p = fma(p, f, vec4(1.3333558e-3));
    p = fma(p, f, vec4(9.6181291e-3));
    p = fma(p, f, vec4(5.5504109e-2));
    p = fma(p, f, vec4(2.4022651e-1));
    p = fma(p, f, vec4(6.9314718e-1));
    return p * f;
}
