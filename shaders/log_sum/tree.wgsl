// What log_sum.wgsl adds up over a workgroup, by halves. The stage has served by then, and its memory is used again.

struct Invocation {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

fn reduce_max(value: f32, invocation: Invocation) -> f32 {
    let lane = invocation.lane;
    left[lane].x = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            left[lane].x = max(left[lane].x, left[lane + half].x);
        }
    }
    return workgroupUniformLoad(&left[0]).x;
}

fn reduce_sum(value: f32, invocation: Invocation) -> f32 {
    let lane = invocation.lane;
    left[lane].x = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            left[lane].x += left[lane + half].x;
        }
    }
    return workgroupUniformLoad(&left[0]).x;
}
