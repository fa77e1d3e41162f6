"""Writes one training step of TRL's DPOTrainer to a safetensors file for `prefc audit`: record(trainer, path), then train()."""
import torch
from safetensors.torch import save_file

def record(trainer, path, step=0):
    training_step, compute_loss, kept, count = trainer.training_step, trainer.compute_loss, {}, [-1]
    def keep(module, args, out):
        kept["ref_token_logps" if "policy_token_logps" in kept else "policy_token_logps"] = out.log_probs
        if out.log_probs.requires_grad:
            out.log_probs.retain_grad()
    def recorded_loss(model, inputs, *args, **kwargs):
        models = {name: one for name, one in [("policy", model), ("ref", trainer.ref_model)] if one is not None}
        hooks = [one.register_forward_hook(keep) for one in models.values()]
        kept["loss"] = loss = compute_loss(model, inputs, *args, **kwargs)
        for hook in hooks:
            hook.remove()
        given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            kept.update({f"{name}_logits": one(**given).logits for name, one in models.items()}, **inputs)
        kept.update({f"metrics/{name}": torch.tensor(float(all[-1])) for name, all in trainer._metrics["train"].items()})
        return loss
    def recorded_step(*args, **kwargs):
        count[0] += 1
        trainer.compute_loss = recorded_loss if count[0] == step else compute_loss
        loss = training_step(*args, **kwargs)
        if count[0] == step:
            kept["grad_token_logps"] = kept["policy_token_logps"].grad * trainer.current_gradient_accumulation_steps
            save_file({k: v.detach().cpu().clone() for k, v in kept.items() if torch.is_tensor(v)}, path)
        return loss
    trainer.training_step = recorded_step
