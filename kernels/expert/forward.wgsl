// Written by hand: log-sum-exp of a row of logits and the log-probability of its label, and for weighted objectives
// log Σ π². One workgroup a row; a lane keeps one running maximum for a block of sixteen entries. The benchmark
// holds compiled kernels against this one. LANES is the workgroup size, WEIGHTED is 1 when Σ π² is wanted.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec4<f32>>;
var<workgroup> maxima: array<f32, LANES>;
var<workgroup> sums: array<f32, LANES>;
var<workgroup> squares: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let base = row * shape.width;
  var m = -3.0e38;
  var s = vec4<f32>(0.0);
  var q = vec4<f32>(0.0);
  let blocks = shape.width / (LANES * 4u) * (LANES * 4u);
  for (var start = 0u; start < blocks; start += LANES * 4u) {
    let at = base + start + lane;
    let a = logits[at];
    let b = logits[at + LANES];
    let c = logits[at + 2u * LANES];
    let d = logits[at + 3u * LANES];
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
    let a = logits[base + at];
    let t = max(max(a.x, a.y), max(a.z, a.w));
    if (t > m) {
      let f = exp(m - t);
      s *= f;
      q *= f * f;
      m = t;
    }
    let ea = exp(a - m);
    s += ea;
    q += ea * ea;
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
    let lse = top + log(sum);
    stats[row] = vec4<f32>(lse, logits[base + label / 4u][label % 4u] - lse, log(square) - 2.0 * log(sum), 0.0);
  }
}
