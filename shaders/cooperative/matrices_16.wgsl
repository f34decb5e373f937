enable f16;
enable wgpu_cooperative_matrix;

// Cooperative matrices of 16 × 16, as NVIDIA and AMD have them.

const F = 16u;
alias Left = coop_mat16x16<f16, A>;
alias Right = coop_mat16x16<f16, B>;
alias Sum = coop_mat16x16<f32, C>;

// What an invocation copies at once.
alias Chunk = vec4<f16>;
const CHUNK = 4u;
