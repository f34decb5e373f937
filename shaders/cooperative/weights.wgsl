// tiles.wgsl with every weight kept.

@group(0) @binding(6) var<storage, read_write> weights: array<vec4<f32>>; // (rows, 4 · stride), rows of whole tiles

fn tile_of(number: u32) -> vec2<u32> {
    return tile_of_grid(number);
}

fn keep(row: u32, col: u32, w: vec4<f32>) {
    weights[row * params.stride + col / 4u] = w;
}
