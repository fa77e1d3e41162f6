// Pairs of floats: a value is hi + lo with |lo| at most half a unit of hi's last place, about 48 bits in all. Row
// programs compute in pairs, because they are short and everything else hangs on them. The error terms are those of
// Knuth and Dekker; they need no fused multiply-add.

// The same number, of which a compiler knows nothing: some cancel (a + b) - a to b, which is what must not happen here.
// A vocabulary has fewer than 2^31 entries, so the bits stay as they are.
fn opaque(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ (shape.vocab >> 31u));
}
// Where a value leaves the range of f32 the second part is 0, so that infinities stay what they are.
fn in_range(a: f32) -> bool {
  return abs(a) < 3.0e38;
}
fn two_sum(a: f32, b: f32) -> vec2<f32> {
  let s = opaque(a + b);
  let t = opaque(s - a);
  return vec2<f32>(s, select(0.0, (a - (s - t)) + (b - t), in_range(s)));
}
fn quick_sum(a: f32, b: f32) -> vec2<f32> {
  let s = opaque(a + b);
  return vec2<f32>(s, select(0.0, b - (s - a), in_range(s)));
}
// A second opaque: NVIDIA's compiler cancels t - (t - a) to a, and then no digit of a product's error is left.
fn split(a: f32) -> vec2<f32> {
  let t = opaque(4097.0 * a);
  let high = t - opaque(t - a);
  return vec2<f32>(high, a - high);
}
fn two_product(a: f32, b: f32) -> vec2<f32> {
  let p = opaque(a * b);
  let x = split(a);
  let y = split(b);
  let e = ((x.x * y.x - p) + x.x * y.y + x.y * y.x) + x.y * y.y;
  // splitting overflows for huge factors: there the product stays a single float
  return vec2<f32>(p, select(0.0, e, max(abs(a), abs(b)) < 1.0e34 && abs(p) < 1.0e38));
}
fn pair_plus(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let s = two_sum(a.x, b.x);
  return quick_sum(s.x, s.y + (a.y + b.y));
}
fn pair_minus(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  return pair_plus(a, -b);
}
fn pair_times(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let p = two_product(a.x, b.x);
  let product = quick_sum(p.x, select(0.0, p.y + (a.x * b.y + a.y * b.x), in_range(p.x)));
  // 0 times anything is 0, infinities and what is undefined included
  return select(product, vec2<f32>(0.0), a.x == 0.0 || b.x == 0.0);
}
fn pair_over(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let q = opaque(a.x / b.x);
  let p = two_product(q, b.x);
  let rest = (((a.x - p.x) - p.y) + (a.y - q * b.y)) / b.x;
  return quick_sum(q, select(0.0, rest, in_range(q) && in_range(b.x)));
}
fn pair_square(a: vec2<f32>) -> vec2<f32> {
  return pair_times(a, a);
}
fn pair_less(a: vec2<f32>, b: vec2<f32>) -> bool {
  return a.x < b.x || (a.x == b.x && a.y < b.y);
}
fn pair_equal(a: vec2<f32>, b: vec2<f32>) -> bool {
  return a.x == b.x && a.y == b.y;
}
fn is_no_number(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
// What is no number stays none: it is never the one that is left out.
fn pair_max(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  return select(a, b, pair_less(a, b) || is_no_number(b.x));
}
fn pair_min(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  return select(a, b, pair_less(b, a) || is_no_number(b.x));
}
fn pair_abs(a: vec2<f32>) -> vec2<f32> {
  return select(a, -a, a.x < 0.0);
}
fn pair_sign(a: vec2<f32>) -> vec2<f32> {
  return vec2<f32>(sign(a.x), 0.0);
}
// NVIDIA's compiler takes a select by a comparison with 0 for a maximum, which drops what is no number.
fn pair_relu(a: vec2<f32>) -> vec2<f32> {
  return select(vec2<f32>(0.0), a, a.x > 0.0 || is_no_number(a.x));
}
fn pair_sqrt(a: vec2<f32>) -> vec2<f32> {
  let root = sqrt(a.x);
  let rest = pair_minus(a, two_product(root, root));
  let known = select(vec2<f32>(0.0), quick_sum(root, rest.x / (2.0 * root)), a.x > 0.0);
  // no number below 0; the bits are hidden, because a shader may not name such a constant
  let nothing = bitcast<f32>(0x7fc00000u ^ (shape.vocab >> 31u));
  return select(known, vec2<f32>(nothing, 0.0), a.x < 0.0 || is_no_number(a.x));
}
