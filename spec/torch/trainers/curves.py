"""Records what docs/trainers.md shows: forty steps of a small Llama with TRL's trainer, with the emitted one, and with one line changed.

    npx prefc emit trl wpo --out FOLDER/wpo.py
    npx prefc emit trl wpo --option alignment=greedy --out FOLDER/greedy.py
    python spec/torch/trainers/curves.py FOLDER scripts/diagrams/curves.json
    npm run diagrams
"""
import json
import sys

from small import load, trained
from trl import DPOTrainer

folder, out = sys.argv[1:]
runs = {
    "DPOTrainer(use_weighting=True) of TRL 1.16": (DPOTrainer, {"use_weighting": True}),
    "WPO, emitted: the same numbers": (load(folder, "wpo").WpoTrainer, {}),
    "one line changed: withWeighting(greedy)": (load(folder, "greedy").WpoTrainer, {}),
}
recorded = {}
for name, (kind, options) in runs.items():
    lines, _ = trained(kind, beta=0.3, steps=40, learning_rate=3e-3, lr_scheduler_type="constant", **options)
    recorded[name] = {"margins": [round(line["rewards/margins"], 6) for line in lines]}
with open(out, "w") as file:
    json.dump(recorded, file, indent=2)
    file.write("\n")
