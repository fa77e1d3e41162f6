// x * x, evaluated once.
fn square(x: f32) -> f32 {
  return x * x;
}
