// One workgroup works on one row.

const LANES = 64u;
