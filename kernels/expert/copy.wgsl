// A ceiling: reads every vector and writes it elsewhere, as the gradient pass must.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let base = group.x * shape.width;
  for (var at = lane; at < shape.width; at += LANES) { destination[base + at] = source[base + at]; }
}
