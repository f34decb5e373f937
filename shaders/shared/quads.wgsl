// Four rows by four columns of one invocation, a vector per row. Rows have names, as some compilers keep what is
// indexed out of registers, and others refuse to store to it.
struct Quad {
    r0: vec4<f32>,
    r1: vec4<f32>,
    r2: vec4<f32>,
    r3: vec4<f32>,
}

fn quad_add(a: Quad, b: Quad) -> Quad {
    return Quad(a.r0 + b.r0, a.r1 + b.r1, a.r2 + b.r2, a.r3 + b.r3);
}

// sum + abᵀ.
fn quad_products(sum: Quad, a: vec4<f32>, b: vec4<f32>) -> Quad {
    return Quad(
        fma(vec4(a.x), b, sum.r0),
        fma(vec4(a.y), b, sum.r1),
        fma(vec4(a.z), b, sum.r2),
        fma(vec4(a.w), b, sum.r3),
    );
}

// sum + (aᵣ − b)² in row r.
fn quad_squares(sum: Quad, a: vec4<f32>, b: vec4<f32>) -> Quad {
    let d0 = a.x - b;
    let d1 = a.y - b;
    let d2 = a.z - b;
    let d3 = a.w - b;
    return Quad(fma(d0, d0, sum.r0), fma(d1, d1, sum.r1), fma(d2, d2, sum.r2), fma(d3, d3, sum.r3));
}

fn quad_transposed(q: Quad) -> Quad {
    return Quad(
        vec4(q.r0.x, q.r1.x, q.r2.x, q.r3.x),
        vec4(q.r0.y, q.r1.y, q.r2.y, q.r3.y),
        vec4(q.r0.z, q.r1.z, q.r2.z, q.r3.z),
        vec4(q.r0.w, q.r1.w, q.r2.w, q.r3.w),
    );
}

fn quad_total(q: Quad) -> f32 {
    let sum = (q.r0 + q.r1) + (q.r2 + q.r3);
    return (sum.x + sum.y) + (sum.z + sum.w);
}
