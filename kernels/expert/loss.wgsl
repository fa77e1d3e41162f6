// Written by hand: from the statistics of the rows to the loss and to the coefficient of each row's gradient, for
// pairs whose responses have TOKENS tokens each: chosen rows first, then rejected ones. WEIGHTED is 1 for WPO.
struct Shape { rows: u32, width: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> policy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> reference: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
const beta = 0.1;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let pairs = shape.rows / (2u * TOKENS);
  if (id.x >= pairs) { return; }
  var margin = 0.0;
  var weight = 0.0;
  for (var t = 0u; t < TOKENS; t += 1u) {
    let w = id.x * TOKENS + t;
    let l = w + pairs * TOKENS;
    margin += (policy[w].y - reference[w].y) - (policy[l].y - reference[l].y);
    weight += (policy[w].y - policy[w].z) + (policy[l].y - policy[l].z);
  }
  let scale = select(1.0, exp(weight / f32(TOKENS)), WEIGHTED == 1u) / f32(pairs);
  let x = beta * margin;
  losses[id.x] = -scale * (min(x, 0.0) - log(1.0 + exp(-abs(x))));
  let g = -scale * beta / (1.0 + exp(x));
  for (var t = 0u; t < TOKENS; t += 1u) {
    let w = id.x * TOKENS + t;
    coefficients[w] = g;
    coefficients[w + pairs * TOKENS] = -g;
  }
}
