// How to supply what a batch lacks: the field of the adapters that brings an input or a response of the core, so that
// the sentence of an error ends with what to write.

import { isPrompt } from "../core/inputs.ts";

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

/** The part of an input's name that names a response: what follows the height, or the name of the numbers. */
const inputShape =
  /^(?:(policy|ref)\.(logits|logp|logps)|(reward)|(example)|tokens\.([^.]*))\.([^]*)$/;

/** How an input is brought, for the end of a sentence. */
export function inputAdvice(input: string): string {
  const match = inputShape.exec(input);
  if (match === null) return `bind an input of the name ${quote(input)}`;
  const [, model, height, reward, example, tokens, rest = ""] = match;
  if (reward !== undefined) return `give rewards: { ${key(rest)}: […] }`;
  if (example !== undefined) {
    const direct = `give examples: { ${key(rest)}: […] }`;
    return rest === "desirable" ? `give label to fromUnpaired, or ${direct}` : direct;
  }
  if (tokens !== undefined) return `give tokens: { ${key(tokens)}: […] }, as long as input_ids`;
  const field = `${model}_${height}`;
  if (height === "logps") return `give ${field}: { ${key(rest)}: […] }`;
  if (height === "logp") return `give ${field} with the response ${quote(rest)} to fromResponses`;
  return rest === "kl" ? `give KL: { ${field} }` : `give ${field}`;
}
