// What recorded names and hyper-parameters mean: every key is read, none is ignored, and names that only unseen files
// carry stand for the objectives that they describe.
import { describe, expect, it } from "vitest";
import { parseGolden } from "../../src/conform/golden.ts";
import { interpretGolden, rows, type Reading } from "../../src/conform/names.ts";
import { dpo, referenceFree, trlDpo, wpo } from "../../src/index.ts";
import { changed, conform, errorOf, put, sigmoid, weighted } from "./support.ts";

/** A recorded file under another name, with other hyper-parameters. */
const renamed = (objective: string, params: unknown): string =>
  changed(sigmoid, (document) => {
    put(document, "objective", objective);
    put(document, "params", params);
  });
const reading = (objective: string, params: unknown): Reading =>
  interpretGolden(parseGolden(renamed(objective, params), "changed.json"));
const refusal = (objective: string, params: unknown): string =>
  errorOf(() => reading(objective, params)).message;

describe("the name of a recorded objective", () => {
  it("must be known", () => {
    expect(refusal("dpo/sigmod", {})).toBe(
      'changed.json: the objective "dpo/sigmod" is not known; add a row for it in src/conform/families. Did you mean "dpo/sigmoid"?',
    );
    expect(refusal("__proto__", {})).toMatch(
      /^changed\.json: the objective "__proto__" is not known/,
    );
  });

  it("fails the file when it is not, and not the run", async () => {
    const report = await conform(renamed("nobody/knows", {}));
    expect(report).toMatchObject({ verdict: "FAIL", objective: "nobody/knows", engines: [] });
    expect(report.failures).toHaveLength(1);
  });

  it("is spelled out in one row at most", () => {
    const names = rows.flatMap((row) => row.names.filter((name) => typeof name === "string"));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name, position) => names.indexOf(name) !== position)).toEqual([]);
  });

  it("that repeats its hyper-parameters is understood with any of them", () => {
    expect(
      reading("trl-0.28/sigmoid_label_smoothing0.4", { label_smoothing: 0.4 }).objective.loss,
    ).toBe(dpo().loss);
    expect(
      reading("trl-0.28/sigmoid+use_weighting (off-by-one weights)", {}).defect,
    ).not.toBeNull();
  });
});

describe("the options that a file gives", () => {
  it("choose the objective", () => {
    const plain = trlDpo({ as_of: "1.9" });
    expect(reading("dpo/sigmoid", { use_weighting: false }).objective.loss).toBe(plain.loss);
    expect(reading("dpo/sigmoid+use_weighting", { use_weighting: true }).objective.loss).toBe(
      trlDpo({ use_weighting: true }).loss,
    );
    expect(reading("trl-0.28/sigmoid", {}).objective.loss).toBe(dpo().loss);
    expect(reading("dpo/original", { reference_free: true }).objective.loss).toBe(
      referenceFree(dpo()).loss,
    );
    expect(reading("dpo/original cDPO", { label_smoothing: 0.1 }).params).toEqual({
      beta: 0.1,
      label_smoothing: 0.1,
    });
  });

  it("must be known and fit", () => {
    expect(refusal("dpo/sigmoid", { betta: 1 })).toMatch(
      /^changed\.json: params\.betta is not a hyper-parameter/,
    );
    expect(refusal("dpo/sigmoid", { loss_type: "hinge" })).toMatch(
      /^changed\.json: params\.loss_type must be/,
    );
  });
});

describe("the WPO authors' own loss, which no file at hand carries", () => {
  const clamped = wpo({ clamp: "product" }).loss;

  it("samples, clamps the product and smooths inside", () => {
    expect(reading("wpo/repo sampled-alignment clamp", { beta: 0.05 })).toMatchObject({
      params: { beta: 0.05, label_smoothing: 0 },
    });
    expect(reading("wpo/repo sampled-alignment clamp", {}).objective.loss).toBe(clamped);
    expect(reading("wpo/repo + label_smoothing", { label_smoothing: 0.1 })).toMatchObject({
      params: { beta: 0.01, label_smoothing: 0.1 },
    });
    expect(reading("wpo/repo + label_smoothing", { label_smoothing: 0.1 }).objective.loss).toBe(
      clamped,
    );
    expect(reading("wpo/repo reference_free", { reference_free: true }).objective.loss).toBe(
      referenceFree(wpo({ clamp: "product" })).loss,
    );
  });

  it("may spell its clamp in several ways", () => {
    for (const clamp of ["product", true, 1]) {
      expect(reading("wpo/repo sampled-alignment clamp", { clamp }).objective.loss).toBe(clamped);
    }
    for (const clamp of ["none", false]) {
      expect(reading("wpo/repo sampled-alignment clamp", { clamp }).objective.loss).toBe(
        wpo().loss,
      );
    }
  });

  it("agrees with a recorded run in which no weight exceeds 1", async () => {
    const text = changed(weighted, (document) => {
      put(document, "objective", "wpo/repo sampled-alignment clamp");
      put(document, "params", { beta: 0.1, loss_type: "sigmoid", use_weighting: true });
    });
    expect(await conform(text)).toMatchObject({ verdict: "ok", failures: [] });
  });
});

describe("an upstream defect", () => {
  it("is named, and a malformed one is a failure all the same", () => {
    const name = "trl-0.28/sigmoid+use_weighting (off-by-one weights)";
    expect(reading(name, { loss_type: "sigmoid", use_weighting: true }).defect).toMatch(
      /shifted by one token/,
    );
    expect(reading("trl-0.28/sigmoid", {}).defect).toBeNull();
    expect(refusal(name, { unheard_of: 1 })).toMatch(/params\.unheard_of/);
  });
});
