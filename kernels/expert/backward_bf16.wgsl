// Written by hand: backward.wgsl for bf16, rounded to the nearest number and at a tie to the even one. Finite logits and
// coefficients are assumed, as everywhere in these kernels, so NaN needs no case of its own.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> stats: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coefficients: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<vec4<u32>>;

fn rounded(v: vec4<f32>) -> vec4<u32> {
  let bits = bitcast<vec4<u32>>(v);
  return bits + ((bits >> vec4<u32>(16u)) & vec4<u32>(1u)) + 0x7fffu;
}
fn gradient_of(words: vec4<u32>, c: f32, lse: f32) -> vec4<u32> {
  let lower = -c * exp(bitcast<vec4<f32>>(words << vec4<u32>(16u)) - lse);
  let upper = -c * exp(bitcast<vec4<f32>>(words & vec4<u32>(0xffff0000u)) - lse);
  return (rounded(lower) >> vec4<u32>(16u)) | (rounded(upper) & vec4<u32>(0xffff0000u));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let base = row * shape.width;
  let lse = stats[row].x;
  let c = coefficients[row];
  let blocks = shape.width / (LANES * 2u) * (LANES * 2u);
  for (var start = 0u; start < blocks; start += LANES * 2u) {
    let at = base + start + lane;
    let first = logits[at];
    let second = logits[at + LANES];
    gradient[at] = gradient_of(first, c, lse);
    gradient[at + LANES] = gradient_of(second, c, lse);
  }
  for (var at = base + blocks + lane; at < base + shape.width; at += LANES) {
    gradient[at] = gradient_of(logits[at], c, lse);
  }
  storageBarrier();
  workgroupBarrier();
  if (lane == 0u) {
    let label = labels[row];
    let place = (label / 2u) % 4u;
    let words = logits[base + label / 8u];
    let isUpper = label % 2u == 1u;
    let z = bitcast<f32>(select(words[place] << 16u, words[place] & 0xffff0000u, isUpper));
    let bits = rounded(vec4<f32>(c - c * exp(z - lse))).x;
    let old = gradient[base + label / 8u][place];
    gradient[base + label / 8u][place] =
      select((old & 0xffff0000u) | (bits >> 16u), (old & 0xffffu) | (bits & 0xffff0000u), isUpper);
  }
}
