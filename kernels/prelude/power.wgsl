// a^b: for a < 0 where b is a whole number, which pow does not take; 1 where b is 0.
fn power(a: f32, b: f32) -> f32 {
  let size = pow(abs(a), b);
  let is_whole = round(b) == b;
  let is_odd = is_whole && abs(b) < 16777216.0 && fract(b * 0.5) != 0.0;
  let signed = select(select(no_number(), size, is_whole), -size, is_odd);
  return select(select(size, signed, a < 0.0), 1.0, b == 0.0);
}
// What is no number. The bits are hidden, because a shader may not name such a constant.
fn no_number() -> f32 {
  return bitcast<f32>(0x7fc00000u ^ (shape.vocab >> 31u));
}
