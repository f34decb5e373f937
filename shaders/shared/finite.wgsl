// The nearest value that is certainly finite.
fn finite(v: f32) -> f32 {
    return clamp(v, -3.0e38, 3.0e38);
}
