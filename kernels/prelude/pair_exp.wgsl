// Exponentials of pairs. x = n·ln 2 + r with |r| below 0.35; in e^r − 1 = r + r²·P(r) the second part is a single float,
// a tenth of the first, so the relative error is below 2^-27. Beneath 2^-126 the result is 0, as f32 has it.
fn power_of_two(n: f32) -> f32 {
  return bitcast<f32>(u32(clamp(n, -126.0, 127.0) + 127.0) << 23u);
}
fn small_expm1(r: vec2<f32>) -> vec2<f32> {
  let x = r.x;
  let p = 0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 + x * (0.0013888889 + x *
    (0.0001984127 + x * 0.0000248015873)))));
  return quick_sum(x, r.y + x * x * p);
}
fn pair_exp(x: vec2<f32>) -> vec2<f32> {
  // ln 2 in two parts; n has at most 8 bits, so n times the first is exact
  let n = round(clamp(x.x, -104.0, 89.0) * 1.442695);
  let a = two_sum(x.x, n * -0.693145751953125);
  let e = small_expm1(quick_sum(a.x, a.y + (x.y - n * 0.000001428606765)));
  let s = two_sum(1.0, e.x);
  // in two steps, because 2^128 is no float
  let scaled = quick_sum(s.x, s.y + e.y) * power_of_two(n - 1.0) * 2.0;
  return select(scaled, vec2<f32>(0.0), x.x < -87.3);
}
fn pair_expm1(x: vec2<f32>) -> vec2<f32> {
  return select(pair_minus(pair_exp(x), vec2<f32>(1.0, 0.0)), small_expm1(x), abs(x.x) < 0.35);
}
fn pair_sigmoid(x: vec2<f32>) -> vec2<f32> {
  let e = pair_exp(-pair_abs(x));
  let one = vec2<f32>(1.0, 0.0);
  return pair_over(select(e, one, x.x >= 0.0), pair_plus(one, e));
}
