// Four bf16 in two words, the first in the lower half of the first word, as the bits of four f32.
fn widen_bf16(words: vec2<u32>) -> vec4<u32> {
  return vec4<u32>(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u);
}

// The same of f16. unpack2x16float is exact, for subnormal numbers as well (spec/gpu/half.spec.ts holds adapters to it).
fn widen_f16(words: vec2<u32>) -> vec4<u32> {
  return bitcast<vec4<u32>>(vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y)));
}

// Four numbers as bf16 in two words: each the nearest, at a tie the even one. NaN stays NaN.
fn narrow_bf16(v: vec4<f32>) -> vec2<u32> {
  let bits = bitcast<vec4<u32>>(v);
  let rounded = bits + ((bits >> vec4<u32>(16u)) & vec4<u32>(1u)) + 0x7fffu;
  let kept = select(rounded, bits | vec4<u32>(0x400000u), (bits & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u));
  return (kept.xz >> vec2<u32>(16u)) | (kept.yw & vec2<u32>(0xffff0000u));
}

// The same as f16. pack2x16float would round as the driver likes, and some round subnormal numbers down. Below 2^-14 the unit
// is that of 0.5 in f32, so adding 0.5 rounds; from 65,520 on the result is infinite.
fn narrow_f16(v: vec4<f32>) -> vec2<u32> {
  let bits = bitcast<vec4<u32>>(v);
  let size = bits & vec4<u32>(0x7fffffffu);
  let finite = min(size, vec4<u32>(0x47800000u));
  let usual = (finite + ((finite >> vec4<u32>(13u)) & vec4<u32>(1u)) - 0x37fff001u) >> vec4<u32>(13u);
  let small = bitcast<vec4<u32>>(bitcast<vec4<f32>>(size) + 0.5) - 0x3f000000u;
  let number = select(usual, small, size < vec4<u32>(0x38800000u));
  let kept = select(number, vec4<u32>(0x7e00u), size > vec4<u32>(0x7f800000u));
  let signs = ((bits.xz >> vec2<u32>(16u)) & vec2<u32>(0x8000u)) | (bits.yw & vec2<u32>(0x80000000u));
  return kept.xz | (kept.yw << vec2<u32>(16u)) | signs;
}
