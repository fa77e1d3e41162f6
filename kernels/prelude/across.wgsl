// Four entries that begin `turn` entries into the first of two vectors.
fn across(here: vec4<u32>, next: vec4<u32>, turn: u32) -> vec4<u32> {
  let odd = (turn & 1u) != 0u;
  let first = select(here, vec4<u32>(here.yzw, next.x), odd);
  let second = select(next.xy, next.yz, odd);
  return select(first, vec4<u32>(first.zw, second), turn >= 2u);
}
