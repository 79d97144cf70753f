"""Records the evaluation data of a Hugging Face ``Trainer``, such as that of a text classifier, with its texts.

Then: mlx analyze recorded
"""

from pathlib import Path
from typing import Any

from pytorch_recorder import Layer, record
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer


def record_trainer(trainer: Trainer, tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> Path:
    """Record the encoder's last layer, averaged over the tokens of each text, and what the classifier sees."""
    model = trainer.model
    assert isinstance(model, PreTrainedModel)
    names = dict(sorted(model.config.id2label.items())).values()

    def texts(batch: dict[str, Any]) -> list[str]:
        return tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)

    last_layer = max(name for name, _ in model.named_modules() if name.rpartition(".")[0].endswith("encoder.layer"))
    return record(
        model,
        {"test": trainer.get_eval_dataloader(), "train": trainer.get_train_dataloader()},
        folder,
        layers={"penultimate": Layer("classifier", of="input"), "encoder": last_layer},
        class_names=[str(name) for name in names],
        texts=texts,
    )
