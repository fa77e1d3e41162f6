// Written by hand: forward.wgsl for logits in bf16, eight of them in a load of 16 bytes. Widening is a shift for the lower
// half of a word and a mask for the upper one.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec4<f32>>;
var<workgroup> maxima: array<f32, LANES>;
var<workgroup> sums: array<f32, LANES>;
var<workgroup> squares: array<f32, LANES>;

fn lower(words: vec4<u32>) -> vec4<f32> { return bitcast<vec4<f32>>(words << vec4<u32>(16u)); }
fn upper(words: vec4<u32>) -> vec4<f32> { return bitcast<vec4<f32>>(words & vec4<u32>(0xffff0000u)); }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let base = row * shape.width;
  var m = -3.0e38;
  var s = vec4<f32>(0.0);
  var q = vec4<f32>(0.0);
  let blocks = shape.width / (LANES * 2u) * (LANES * 2u);
  for (var start = 0u; start < blocks; start += LANES * 2u) {
    let at = base + start + lane;
    let first = logits[at];
    let second = logits[at + LANES];
    let a = lower(first);
    let b = upper(first);
    let c = lower(second);
    let d = upper(second);
    let t4 = max(max(a, b), max(c, d));
    let t = max(max(t4.x, t4.y), max(t4.z, t4.w));
    if (t > m) {
      let f = exp(m - t);
      s *= f;
      if (WEIGHTED == 1u) { q *= f * f; }
      m = t;
    }
    let ea = exp(a - m);
    let eb = exp(b - m);
    let ec = exp(c - m);
    let ed = exp(d - m);
    s += (ea + eb) + (ec + ed);
    if (WEIGHTED == 1u) { q += (ea * ea + eb * eb) + (ec * ec + ed * ed); }
  }
  for (var at = blocks + lane; at < shape.width; at += LANES) {
    let both = logits[base + at];
    let a = lower(both);
    let b = upper(both);
    let t4 = max(a, b);
    let t = max(max(t4.x, t4.y), max(t4.z, t4.w));
    if (t > m) {
      let f = exp(m - t);
      s *= f;
      q *= f * f;
      m = t;
    }
    let ea = exp(a - m);
    let eb = exp(b - m);
    s += ea + eb;
    q += ea * ea + eb * eb;
  }
  maxima[lane] = m;
  sums[lane] = s.x + s.y + s.z + s.w;
  squares[lane] = q.x + q.y + q.z + q.w;
  workgroupBarrier();
  if (lane == 0u) {
    var top = maxima[0];
    for (var i = 1u; i < LANES; i += 1u) { top = max(top, maxima[i]); }
    var sum = 0.0;
    var square = 0.0;
    for (var i = 0u; i < LANES; i += 1u) {
      let f = exp(maxima[i] - top);
      sum += sums[i] * f;
      square += squares[i] * f * f;
    }
    let label = labels[row];
    let word = logits[base + label / 8u][(label / 2u) % 4u];
    let z = bitcast<f32>(select(word << 16u, word & 0xffff0000u, label % 2u == 1u));
    let lse = top + log(sum);
    stats[row] = vec4<f32>(lse, z - lse, log(square) - 2.0 * log(sum), 0.0);
  }
}
