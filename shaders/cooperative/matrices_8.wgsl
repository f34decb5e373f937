enable f16;
enable wgpu_cooperative_matrix;

// Cooperative matrices of 8 × 8, as Mesa's software driver has them.

const F = 8u;
alias Left = coop_mat8x8<f16, A>;
alias Right = coop_mat8x8<f16, B>;
alias Sum = coop_mat8x8<f32, C>;

// What an invocation copies at once.
alias Chunk = vec4<f16>;
const CHUNK = 4u;
