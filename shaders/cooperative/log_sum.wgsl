// tiles.wgsl as a sum alone.

fn tile_of(number: u32) -> vec2<u32> {
    if params.diagonal == 1u {
        return triangle_tile(number);
    }
    return tile_of_grid(number);
}

fn keep(row: u32, col: u32, w: vec4<f32>) {}
