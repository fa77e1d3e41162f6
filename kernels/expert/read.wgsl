// A ceiling: reads every vector and adds it up, the least that a forward pass can do.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4<f32>>;
var<workgroup> parts: array<vec4<f32>, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let base = group.x * shape.width;
  var sum = vec4<f32>(0.0);
  let blocks = shape.width / (LANES * 4u) * (LANES * 4u);
  for (var start = 0u; start < blocks; start += LANES * 4u) {
    let at = base + start + lane;
    sum += (source[at] + source[at + LANES]) + (source[at + 2u * LANES] + source[at + 3u * LANES]);
  }
  for (var at = blocks + lane; at < shape.width; at += LANES) { sum += source[base + at]; }
  parts[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < LANES; i += 1u) { sum += parts[i]; }
    sums[group.x] = sum;
  }
}
