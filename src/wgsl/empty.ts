// A shader that does nothing, for asking a device whether it takes what is bound to one.

export const emptyShader = "@compute @workgroup_size(1) fn main() {}";
