// The gradient of focal.ts by hand, a workgroup for each row: one pass for the normaliser, and one that writes.
struct Shape { rows: u32, width: u32, examples: u32, vocab: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> policy_logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> sequences: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read_write> policy_gradient: array<f32>;
var<workgroup> parts: array<vec2<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let base = row * shape.vocab;
  var top = -3.0e38;
  var sum = 0.0;
  for (var v = lane; v < shape.vocab; v += 64u) {
    let z = policy_logits[base + v];
    if (z > top) { sum *= exp(top - z); top = z; }
    sum += exp(z - top);
  }
  parts[lane] = vec2<f32>(top, sum);
  workgroupBarrier();
  var all = parts[0];
  for (var i = 1u; i < 64u; i += 1u) {
    let other = parts[i];
    let most = max(all.x, other.x);
    all = vec2<f32>(most, all.y * exp(all.x - most) + other.y * exp(other.x - most));
  }
  // rows of no completion have a gradient of zero
  let sequence = sequences[row];
  var coefficient = 0.0;
  if (sequence != 0xffffffffu) {
    let logp = policy_logits[base + labels[row]] - all.x - log(all.y);
    let p = exp(logp);
    let slope = (1.0 - p) * (2.0 * p * logp - (1.0 - p));
    coefficient = slope / f32(offsets[2u * sequence + 1u] * shape.examples);
  }
  for (var v = lane; v < shape.vocab; v += 64u) {
    let pi = exp(policy_logits[base + v] - all.x) / all.y;
    policy_gradient[base + v] = coefficient * (select(0.0, 1.0, v == labels[row]) - pi);
  }
}
