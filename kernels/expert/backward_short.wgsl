// Written by hand: backward.wgsl for rows of so few entries that a workgroup has LANES of them, one for each lane.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> stats: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coefficients: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= arrayLength(&labels)) { return; }
  let base = row * shape.width;
  let lse = stats[row].x;
  let c = coefficients[row];
  let blocks = shape.width / 2u * 2u;
  for (var at = base; at < base + blocks; at += 2u) {
    gradient[at] = -c * exp(logits[at] - lse);
    gradient[at + 1u] = -c * exp(logits[at + 1u] - lse);
  }
  if (blocks < shape.width) { gradient[base + blocks] = -c * exp(logits[base + blocks] - lse); }
  let label = labels[row];
  gradient[base + label / 4u][label % 4u] += c;
}
