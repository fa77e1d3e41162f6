// Written by hand: the gradient of a row, coefficient · ([v = y] − softmax), one exponential an entry.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> stats: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coefficients: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let base = row * shape.width;
  let lse = stats[row].x;
  let c = coefficients[row];
  let blocks = shape.width / (LANES * 4u) * (LANES * 4u);
  for (var start = 0u; start < blocks; start += LANES * 4u) {
    let at = base + start + lane;
    gradient[at] = -c * exp(logits[at] - lse);
    gradient[at + LANES] = -c * exp(logits[at + LANES] - lse);
    gradient[at + 2u * LANES] = -c * exp(logits[at + 2u * LANES] - lse);
    gradient[at + 3u * LANES] = -c * exp(logits[at + 3u * LANES] - lse);
  }
  for (var at = blocks + lane; at < shape.width; at += LANES) {
    gradient[base + at] = -c * exp(logits[base + at] - lse);
  }
  storageBarrier();
  workgroupBarrier();
  let label = labels[row];
  if (lane == 0u) { gradient[base + label / 4u][label % 4u] += c; }
}
