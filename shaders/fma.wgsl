// Fused multiply-adds in registers and nothing else: the most that the device's f32 units do in a second.
//
// Every invocation holds 32 sums that do not wait for each other, enough to fill the units' pipelines. All of them come to
// the fixed point of v → factor · v + term, which the host checks; a compiler knows neither number.

struct Params {
    factor: f32,
    term: f32,
    // What no sum ever is.
    never: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>; // (256)

const LANES = 256u;
// Rounds of an invocation, and steps of a round, which are written out lest the loop's own arithmetic counts.
const ROUNDS = 256u;

// Eight vectors with names, as some compilers keep what is indexed out of registers.
struct Sums {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    e: vec4<f32>,
    f: vec4<f32>,
    g: vec4<f32>,
    h: vec4<f32>,
}

fn step(v: Sums, factor: vec4<f32>, term: vec4<f32>) -> Sums {
    return Sums(
        fma(v.a, factor, term),
        fma(v.b, factor, term),
        fma(v.c, factor, term),
        fma(v.d, factor, term),
        fma(v.e, factor, term),
        fma(v.f, factor, term),
        fma(v.g, factor, term),
        fma(v.h, factor, term),
    );
}

fn four_steps(v: Sums, factor: vec4<f32>, term: vec4<f32>) -> Sums {
    return step(step(step(step(v, factor, term), factor, term), factor, term), factor, term);
}

@compute @workgroup_size(256)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let factor = vec4(params.factor);
    let term = vec4(params.term);
    // Each sum begins at a number of its own: equal ones would be worked out once.
    let start = vec4(0.0, 1.0, 2.0, 3.0) + f32(id.x % 1024u) * 32.0;
    var v = Sums(
        start,
        start + 4.0,
        start + 8.0,
        start + 12.0,
        start + 16.0,
        start + 20.0,
        start + 24.0,
        start + 28.0,
    );
    for (var round = 0u; round < ROUNDS; round++) {
        v = four_steps(v, factor, term);
        v = four_steps(v, factor, term);
        v = four_steps(v, factor, term);
        v = four_steps(v, factor, term);
    }
    let sum = dot(v.a + v.b + v.c + v.d + v.e + v.f + v.g + v.h, vec4(1.0));
    if id.x < LANES || sum == params.never {
        sums[lane] = sum;
    }
}
