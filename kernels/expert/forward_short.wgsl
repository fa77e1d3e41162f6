// Written by hand: forward.wgsl for rows of so few entries that a workgroup has LANES of them, one for each lane. A short row
// stays in a cache, so the lane reads it twice: for its maximum, and for the sums about it.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= arrayLength(&labels)) { return; }
  let base = row * shape.width;
  var t = vec4<f32>(-3.0e38);
  for (var at = 0u; at < shape.width; at += 1u) { t = max(t, logits[base + at]); }
  let m = max(max(t.x, t.y), max(t.z, t.w));
  var s = vec4<f32>(0.0);
  var q = vec4<f32>(0.0);
  let blocks = shape.width / 2u * 2u;
  for (var at = 0u; at < blocks; at += 2u) {
    let a = exp(logits[base + at] - m);
    let b = exp(logits[base + at + 1u] - m);
    s += a + b;
    if (WEIGHTED == 1u) { q += a * a + b * b; }
  }
  if (blocks < shape.width) {
    let a = exp(logits[base + blocks] - m);
    s += a;
    q += a * a;
  }
  let sum = (s.x + s.y) + (s.z + s.w);
  let square = (q.x + q.y) + (q.z + q.w);
  let label = labels[row];
  let lse = m + log(sum);
  stats[row] = vec4<f32>(lse, logits[base + label / 4u][label % 4u] - lse, log(square) - 2.0 * log(sum), 0.0);
}
