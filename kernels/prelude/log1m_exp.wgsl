// log(1 - e^x) for x < 0, by the branch that does not cancel (switch at -ln 2).
fn log1m_exp(x: f32) -> f32 {
  return select(natural_log(-expm1(x)), log1p(-exp(x)), x < -0.6931472);
}
