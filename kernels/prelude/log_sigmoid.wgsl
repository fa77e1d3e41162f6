// log(1 / (1 + e^-x)) = min(x, 0) - log1p(e^-|x|): exact tails on both sides.
fn log_sigmoid(x: f32) -> f32 {
  return min(x, 0.0) - log1p(exp(-abs(x)));
}
