// Points in half precision, which every device can unpack.

alias Four = vec2<u32>;

fn unpacked(four: Four) -> vec4<f32> {
    return vec4(unpack2x16float(four.x), unpack2x16float(four.y));
}

fn packed(values: vec4<f32>) -> Four {
    return vec2(pack2x16float(values.xy), pack2x16float(values.zw));
}

// The bits of a vector in memory, and the vector that they are.
fn four_bits(four: Four) -> vec4<u32> {
    return vec4(four, 0u, 0u);
}

fn four_of_bits(bits: vec4<u32>) -> Four {
    return bits.xy;
}
