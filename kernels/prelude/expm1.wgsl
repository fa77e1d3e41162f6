// e^x - 1. Near 0 the difference cancels; there the Taylor polynomial of degree 7 is used, whose relative
// truncation error for |x| < 0.5 is below 5e-8.
fn expm1(x: f32) -> f32 {
  let series = x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 +
    x * (0.0013888889 + x * 0.0001984127))))));
  return select(exp(x) - 1.0, series, abs(x) < 0.5);
}
