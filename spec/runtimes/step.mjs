// One training step of WPO in whichever runtime runs this file: `step.mjs PATH_OF_DIST`. Prints one line of JSON.
const { compile, fromResponses, openDevice, wpo } = await import(process.argv[2]);

const response = (labels, shift) => ({
  labels,
  policy_logits: Float32Array.from({ length: 12 }, (_, i) => ((i * 7 + shift) % 5) / 2),
  ref_logits: Float32Array.from({ length: 12 }, (_, i) => ((i * 3 + shift) % 4) / 2),
});
try {
  const device = await openDevice();
  const batch = fromResponses({ w: response([[1, 2], [0]], 0), l: response([[3], [0, 1]], 1) });
  const { loss, gradients } = await compile(wpo(), { device }).valueAndGrad(batch);
  const gradient = Object.values(gradients).flatMap((one) => Array.from(one));
  console.log(JSON.stringify({ adapter: device.line, loss, gradient }));
  device.dispose();
} catch (error) {
  console.log(JSON.stringify({ code: error.code ?? null, message: error.message }));
}
process.exit(0);
