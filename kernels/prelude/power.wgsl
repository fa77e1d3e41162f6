// a^b: for a < 0 where b is a whole number, which pow does not take; 1 where b is 0, and infinite for a power of 0 below it.
fn power(a: f32, b: f32) -> f32 {
  let size = pow(abs(a), b);
  let is_whole = round(b) == b;
  let is_odd = is_whole && abs(b) < 16777216.0 && fract(b * 0.5) != 0.0;
  let signed = select(select(no_number(), size, is_whole), -size, is_odd);
  let of_nothing = select(0.0, -minus_infinity(), b < 0.0);
  return select(select(select(size, of_nothing, a == 0.0), signed, a < 0.0), 1.0, b == 0.0);
}
