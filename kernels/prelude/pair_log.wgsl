// Logarithms of pairs. x = 2^n·m with m near 1; log m = 2s + 2s·z·P(z), s = (m − 1)/(m + 1), z = s², where the second
// part is a single float, a hundredth of the first; the relative error is below 2^-30.
fn log_from(n: f32, above: vec2<f32>, below: vec2<f32>) -> vec2<f32> {
  let s = pair_over(above, below) * 2.0;
  let z = 0.25 * s.x * s.x;
  let p = 0.33333334 + z * (0.2 + z * (0.14285715 + z * (0.11111111 + z * (0.09090909 + z * 0.07692308))));
  let sum = two_sum(n * 0.693145751953125, s.x);
  return quick_sum(sum.x, sum.y + (s.y + n * 0.000001428606765 + s.x * z * p));
}
fn exponent_of(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  return f32(bits >> 23u) - 127.0 + select(0.0, 1.0, (bits & 0x7fffffu) > 0x3504f3u);
}
// What a logarithm is of 0 and below: −∞, and nothing. The bits are hidden, because a shader may not name such a constant.
fn log_outside(x: f32) -> vec2<f32> {
  let bits = select(0x7fc00000u, 0xff800000u, x == 0.0);
  return vec2<f32>(bitcast<f32>(bits ^ (shape.vocab >> 31u)), 0.0);
}
fn pair_log(x: vec2<f32>) -> vec2<f32> {
  let n = exponent_of(x.x);
  let m = (x * power_of_two(1.0 - n)) * 0.5;
  let one = vec2<f32>(1.0, 0.0);
  return select(log_from(n, pair_minus(m, one), pair_plus(m, one)), log_outside(x.x), x.x <= 0.0);
}
fn pair_log1p(p: vec2<f32>) -> vec2<f32> {
  let one = vec2<f32>(1.0, 0.0);
  // near 0 the sum 1 + p would lose p: there m − 1 is p itself
  let near = abs(p.x) < 0.3;
  let whole = pair_plus(one, p);
  let n = select(exponent_of(whole.x), 0.0, near);
  let m = (whole * power_of_two(1.0 - n)) * 0.5;
  let log = log_from(n, select(pair_minus(m, one), p, near), pair_plus(m, one));
  return select(log, log_outside(whole.x), whole.x <= 0.0);
}
fn pair_log_sigmoid(x: vec2<f32>) -> vec2<f32> {
  return pair_minus(pair_min(x, vec2<f32>(0.0)), pair_log1p(pair_exp(-pair_abs(x))));
}
fn pair_log1m_exp(x: vec2<f32>) -> vec2<f32> {
  return select(pair_log(-pair_expm1(x)), pair_log1p(-pair_exp(x)), x.x < -0.6931472);
}
// For a < 0 where b is a whole number: then |a|^b, with the sign of a where b is odd.
fn pair_pow(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let size = pair_exp(pair_times(b, pair_log(pair_abs(a))));
  let is_whole = round(b.x) == b.x && round(b.y) == b.y;
  let is_odd = is_whole && abs(b.x) < 16777216.0 && fract(b.x * 0.5) != 0.0;
  let signed = select(select(log_outside(-1.0), size, is_whole), -size, is_odd);
  return select(size, signed, a.x < 0.0);
}
