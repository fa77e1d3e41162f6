// How to supply what a batch lacks: the field of the adapters that brings an input or a response of the core, so that
// the sentence of an error ends with what to write.

import { ownName } from "../core/axis.ts";
import { isPrompt } from "../core/inputs.ts";
import type { Input } from "../core/node.ts";

const quote = (text: string): string => JSON.stringify(text);
const key = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : quote(name));

/** How a response is brought, for the end of a sentence; `present` are the responses that the batch has. */
export function responseAdvice(response: string, present: readonly string[]): string {
  if (isPrompt(response)) {
    return "give attention_mask beside completion_mask, which tells prompt tokens from padding";
  }
  if (response === "kl") {
    return "give the mismatched completions to fromUnpaired as KL: { input_ids, completion_mask, policy_logits }";
  }
  if (response === "y") return "give the rows to fromUnpaired, or rename a response";
  const all = [...present.filter((name) => !isPrompt(name)), response].map(quote).join(", ");
  return `give its sequences after the others and name it, e.g. responses: [${all}], or rename one`;
}

/** How an input is brought, for the end of a sentence. */
export function inputAdvice({ datum, name }: Input): string {
  switch (datum.kind) {
    case "reward":
      return `give rewards: { ${key(datum.response)}: […] }`;
    case "example": {
      const direct = `give examples: { ${key(datum.name)}: […] }`;
      return datum.name === "desirable" ? `give label to fromUnpaired, or ${direct}` : direct;
    }
    case "each":
      return `give each: { ${key(datum.name)}: […] } with the responses ${quote(ownName(datum.response))} to fromResponses`;
    case "tokens":
      return `give tokens: { ${key(datum.name)}: […] }, as long as input_ids`;
    case "logps":
      return `give ${datum.model}_logps: { ${key(datum.response)}: […] }`;
    case "logp":
      return `give ${datum.model}_logp with the response ${quote(datum.response)} to fromResponses`;
    case "logits": {
      const field = `${datum.model}_logits`;
      return datum.response === "kl" ? `give KL: { ${field} }` : `give ${field}`;
    }
    case "ids":
    case "statistic":
    case "lengths":
    case "field":
    case "entry":
    case "slot":
    case "label":
    case "named":
      return `bind an input of the name ${quote(name)}`;
  }
}
