// Points in single precision.

alias Four = vec4<f32>;

fn unpacked(four: Four) -> vec4<f32> {
    return four;
}

fn packed(values: vec4<f32>) -> Four {
    return values;
}

// The bits of a vector in memory, and the vector that they are.
fn four_bits(four: Four) -> vec4<u32> {
    return bitcast<vec4<u32>>(four);
}

fn four_of_bits(bits: vec4<u32>) -> Four {
    return bitcast<vec4<f32>>(bits);
}
