// TensorFlow.js on WebGPU: eager, tensors kept on the device. Two peers, which differ in how they take the log-probability of
// the label: by a gather, or by a product with one-hot rows.
import { createRequire } from "node:module";
import { batch, request, run, serve } from "./serve.mjs";
import { provideWebGpu } from "./webgpu.mjs";

const require = createRequire(import.meta.url);

run(async () => {
  // The backend registers itself while it loads, where it finds WebGPU; the core alone registers no gradients.
  provideWebGpu();
  const tf = require("@tensorflow/tfjs-core");
  for (const part of ["tfjs-core/dist/register_all_gradients.js", "tfjs-backend-webgpu"])
    require(`@tensorflow/${part}`);
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs has no WebGPU here");
  await tf.ready();

  const { rows, vocab, tokens, beta, objective, provider } = request;
  const pairs = rows / (2 * tokens);
  const data = batch();
  const policy = tf.tensor2d(data.policy, [rows, vocab]);
  const reference = tf.tensor2d(data.reference, [rows, vocab]);
  const labels = tf.tensor1d(data.labels, "int32");
  const places = tf.tensor1d(
    data.labels.map((label, row) => row * vocab + label),
    "int32",
  );
  const sign = tf.tensor2d([1, -1], [2, 1]);

  const atLabel =
    provider === "tfjs-webgpu-gather"
      ? (values) => tf.gather(tf.reshape(values, [rows * vocab]), places)
      : (values) => tf.sum(tf.mul(values, tf.oneHot(labels, vocab)), 1);
  const byResponse = (values) => tf.reshape(values, [2, pairs, tokens]);
  const logps = (logits) => tf.sum(byResponse(atLabel(tf.logSoftmax(logits))), 2);

  // log π(y_t) − log Σ π² = z_y + log Σ e^z − log Σ e^{2z}
  const pairWeights = (logits) => {
    const squares = tf.logSumExp(tf.mul(logits, 2), 1);
    const token = tf.sub(tf.add(atLabel(logits), tf.logSumExp(logits, 1)), squares);
    return tf.prod(tf.exp(tf.mean(byResponse(token), 2)), 0);
  };

  const step = () =>
    tf.tidy(() => {
      // What is computed outside of the differentiated function is data to it: the reference, and WPO's weights.
      const weights = objective === "wpo" ? pairWeights(policy) : tf.scalar(1);
      const refLogps = logps(reference);
      return tf.valueAndGrad((logits) => {
        const ratios = tf.sub(logps(logits), refLogps);
        const margin = tf.sum(tf.mul(ratios, sign), 0);
        // −log σ(x) as softplus(−x): the gradient of tf.logSigmoid reads a tensor that was freed.
        return tf.mean(tf.mul(weights, tf.softplus(tf.mul(margin, -beta))));
      })(policy);
    });

  await serve({
    versions: { "@tensorflow/tfjs-core": tf.version_core },
    step: async () => {
      const { value, grad } = step();
      // Reading the loss submits everything recorded before it and waits for all of that.
      const [loss] = await value.data();
      value.dispose();
      return { loss, grad };
    },
    read: async ({ loss, grad }, whole) => {
      const gradient = whole ? await grad.data() : undefined;
      grad.dispose();
      return { loss, gradient };
    },
  });
});
