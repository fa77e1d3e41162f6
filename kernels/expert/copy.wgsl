// A ceiling: reads every vector and writes it elsewhere, as the gradient pass must; two at a time, which was fastest.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let base = group.x * shape.width;
  let pairs = shape.width / (LANES * 2u) * (LANES * 2u);
  for (var start = 0u; start < pairs; start += LANES * 2u) {
    let at = base + start + lane;
    let first = source[at];
    let second = source[at + LANES];
    destination[at] = first;
    destination[at + LANES] = second;
  }
  for (var at = pairs + lane; at < shape.width; at += LANES) { destination[base + at] = source[base + at]; }
}
