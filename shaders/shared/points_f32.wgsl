// Points in single precision.

alias Four = vec4<f32>;

fn unpacked(four: Four) -> vec4<f32> {
    return four;
}

fn packed(values: vec4<f32>) -> Four {
    return values;
}
