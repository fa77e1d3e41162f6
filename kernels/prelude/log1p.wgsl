// log(1 + p) for p > -1. WGSL has no log1p, and log(1 + p) returns 0 for small p. For -0.5 < p < 1 the series
// of 2·artanh(p / (2 + p)) is used (truncated below 1e-10), elsewhere log is accurate to 3 ULP.
fn log1p(p: f32) -> f32 {
  let s = p / (2.0 + p);
  let z = s * s;
  let high = 0.11111111 + z * (0.09090909 + z * (0.07692308 + z * (0.06666667 + z * (0.05882353 + z * 0.05263158))));
  let series = 2.0 * s * (1.0 + z * (0.33333334 + z * (0.2 + z * (0.14285715 + z * high))));
  return select(natural_log(1.0 + p), series, p > -0.5 && p < 1.0);
}
