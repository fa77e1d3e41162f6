// What is no number, and what is infinite. The bits are hidden, because a shader may not name such a constant.
fn no_number() -> f32 {
  return bitcast<f32>(0x7fc00000u ^ (shape.vocab >> 31u));
}
fn minus_infinity() -> f32 {
  return bitcast<f32>(0xff800000u ^ (shape.vocab >> 31u));
}
// Drivers take a square of a root, and an exponential of a logarithm, for the operand itself, whatever that is; so what is
// outside the domain is said.
fn natural_log(x: f32) -> f32 {
  return select(select(log(x), minus_infinity(), x == 0.0), no_number(), x < 0.0);
}
fn square_root(x: f32) -> f32 {
  return select(sqrt(x), no_number(), x < 0.0);
}
