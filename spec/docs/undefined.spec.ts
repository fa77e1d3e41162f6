// docs/undefined.md: the table of meanings at the ends of domains, as the engines are held to it. Refresh it with
// `npx vitest run spec/docs/undefined.spec.ts -u`.
import { expect, it } from "vitest";
import { table, type Meaning } from "../support/undefined.ts";

const told = (meaning: Meaning): string =>
  meaning === null ? "refused" : String(Number(meaning.toPrecision(4)));

const page = (): string => `# At the ends of domains

Every formula has one meaning, in the interpreter and on every adapter. It is the meaning of the function of real numbers,
not of the steps in which it happens to be written.

- **A factor 0 makes a product 0**, whatever the other factor is: 0 · log 0 = 0 ([note 0002](notes/0002-zero-times-infinity.md)).
- **What is outside a domain is refused.** The interpreter ends in \`undefined-value\` or \`infinite-value\`, an adapter in
  \`value-not-finite\`. No number stands for something else, and no maximum, minimum or relu leaves out what is no number.
- **What is not chosen does not matter.** \`where\` guards a division by zero, a logarithm and a root, and their slopes.
- **Identities keep domains.** \`square(sqrt(x))\` is x only where x is known to be at least 0 from its form.
- **Leaving the range of floats is no meaning.** \`log(exp(800))\` is 800. The interpreter computes as it is written, and
  evaluates what identities make of a formula where that leaves float64.
- **log π keeps its digits.** It is (z − max) − log1p(rest), so 1 − π and the odds of a nearly certain token are right.
  On adapters single floats end near e^−87: a token that leads by more has 1 − π = 0 there.

A slope of ∞ is refused where a gradient is asked for; the value alone is given. Rounding is beside the point here: the
table is exact, and engines are held to it within their precision.

| formula | x | value | slope | because |
| --- | --- | --- | --- | --- |
${table
  .map(
    ({ formula, x, value, slope, because }) =>
      `| \`${formula}\` | ${told(x)} | ${told(value)} | ${told(slope)} | ${because} |`,
  )
  .join("\n")}
`;

it("is what docs/undefined.md says", async () => {
  await expect(page()).toMatchFileSnapshot("../../docs/undefined.md");
});
