// jax-js, on WebGPU or on WebAssembly: value and gradient under one jit, arrays kept on the device.
import { readFileSync } from "node:fs";
import { batch, request, run, serve } from "./serve.mjs";
import { provideNavigator, provideWebGpu } from "./webgpu.mjs";
import { provideWorkers } from "./workers.mjs";

const device = request.provider === "jax-js-wasm" ? "wasm" : "webgpu";

run(async () => {
  // jax-js looks for workers while it loads.
  if (device === "webgpu") provideWebGpu();
  else {
    provideNavigator(undefined);
    provideWorkers();
  }
  const { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy, valueAndGrad } =
    await import("@jax-js/jax");
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device);
  const { rows, vocab, tokens, beta, objective } = request;
  const pairs = rows / (2 * tokens);

  const { logSigmoid, logsumexp } = nn;
  const byResponse = (values) => values.reshape([2, pairs, tokens]);

  // By a comparison and a sum, which jit fuses: nn.oneHot makes an array of vocab × vocab, and jit refuses the gradient
  // of takeAlongAxis (0.1.25: "routine primitive scatter input is not imm").
  const atLabel = (values, labels) =>
    numpy.where(labels.reshape([rows, 1]).equal(numpy.arange(vocab)), values, 0).sum(1);

  const loss = (policy, reference, labels) => {
    const chosen = atLabel(policy.ref, labels.ref);
    const total = logsumexp(policy.ref, 1);
    const logps = byResponse(chosen.ref.sub(total.ref)).sum(2);
    const refLogps = byResponse(atLabel(reference.ref, labels).sub(logsumexp(reference, 1))).sum(2);
    const margin = logps
      .sub(refLogps)
      .mul(numpy.array([[1], [-1]]))
      .sum(0);
    const each = logSigmoid(margin.mul(beta)).neg();
    if (objective === "dpo") {
      for (const unused of [policy, chosen, total]) unused.dispose();
      return each.mean();
    }
    // log π(y_t) − log Σ π² = z_y + log Σ e^z − log Σ e^{2z}
    const token = chosen.add(total).sub(logsumexp(policy.mul(2), 1));
    const weights = lax.stopGradient(numpy.exp(byResponse(token).mean(2)));
    return numpy.prod(weights, 0).mul(each).mean();
  };
  const step = jit(valueAndGrad(loss));
  const { policy, reference, labels } = batch();
  const z = numpy.array(policy, { shape: [rows, vocab] });
  const r = numpy.array(reference, { shape: [rows, vocab] });
  const y = numpy.array(labels, { shape: [rows], dtype: numpy.int32 });
  await blockUntilReady([z, r, y]);
  const manifest = new URL("node_modules/@jax-js/jax/package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  await serve({
    versions: { "@jax-js/jax": version },
    step: async () => {
      const [value, gradient] = step(z.ref, r.ref, y.ref);
      return await blockUntilReady([value, gradient]);
    },
    read: async ([value, gradient], whole) => {
      const [loss] = await value.data();
      if (whole) return { loss, gradient: await gradient.data() };
      gradient.dispose();
      return { loss };
    },
  });
});
