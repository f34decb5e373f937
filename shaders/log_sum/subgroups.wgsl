// What log_sum.wgsl adds up over a workgroup, subgroup by subgroup of whatever size: two barriers, where tree.wgsl has one
// for each halving. The stage has served by then, and its memory is used again.

struct Invocation {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) place: u32,
}

fn reduce_max(value: f32, invocation: Invocation) -> f32 {
    let part = subgroupMax(value);
    if invocation.place == 0u {
        left[invocation.subgroup].x = part;
    }
    workgroupBarrier();
    var most = left[0].x;
    for (var i = 1u; i < invocation.subgroups; i++) {
        most = max(most, left[i].x);
    }
    // What comes next takes the place of this.
    workgroupBarrier();
    return most;
}

fn reduce_sum(value: f32, invocation: Invocation) -> f32 {
    let part = subgroupAdd(value);
    if invocation.place == 0u {
        left[invocation.subgroup].x = part;
    }
    workgroupBarrier();
    var sum = left[0].x;
    for (var i = 1u; i < invocation.subgroups; i++) {
        sum += left[i].x;
    }
    return sum;
}
