// Four bf16 in two words, the lower half of a word first, as the bits of four f32.
fn widen_bf16(words: vec2<u32>) -> vec4<u32> {
  return vec4<u32>(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u);
}

// The same of f16. unpack2x16float is exact, for subnormal numbers as well (spec/gpu/half.spec.ts holds adapters to it).
fn widen_f16(words: vec2<u32>) -> vec4<u32> {
  return bitcast<vec4<u32>>(vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y)));
}

// The nearest bf16 of each number in the lower half of a word, at a tie the even one. NaN stays NaN.
fn nearest_bf16(v: vec4<f32>) -> vec4<u32> {
  let bits = bitcast<vec4<u32>>(v);
  let rounded = (bits + 0x7fffu + ((bits >> vec4<u32>(16u)) & vec4<u32>(1u))) >> vec4<u32>(16u);
  let is_nan = (bits & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
  return select(rounded, vec4<u32>(0x7fc0u), is_nan);
}

// The nearest f16, at a tie the even one, in whole numbers: pack2x16float rounds as the driver likes. Below 2^-14 the
// unit is 2^-24 whatever the exponent; from 65,520 on the result is infinite. NaN stays NaN.
fn nearest_f16(v: vec4<f32>) -> vec4<u32> {
  let bits = bitcast<vec4<u32>>(v);
  let sign = (bits >> vec4<u32>(16u)) & vec4<u32>(0x8000u);
  let size = bits & vec4<u32>(0x7fffffffu);
  let usual = (size - 0x38000000u + 0xfffu + ((size >> vec4<u32>(13u)) & vec4<u32>(1u))) >> vec4<u32>(13u);
  let shift = clamp(126u - (size >> vec4<u32>(23u)), vec4<u32>(1u), vec4<u32>(25u));
  let whole = (size & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
  let half = (vec4<u32>(1u) << (shift - 1u)) - 1u + ((whole >> shift) & vec4<u32>(1u));
  let small = select((whole + half) >> shift, vec4<u32>(0u), size < vec4<u32>(0x33000000u));
  let finite = select(usual, small, size < vec4<u32>(0x38800000u));
  let large = select(vec4<u32>(0x7c00u), vec4<u32>(0x7e00u), size > vec4<u32>(0x7f800000u));
  return sign | select(finite, large, size >= vec4<u32>(0x47800000u));
}

// Four 16-bit numbers in two words, the first in the lower half.
fn two_words(halves: vec4<u32>) -> vec2<u32> {
  return halves.xz | (halves.yw << vec2<u32>(16u));
}
