"""The recipes of the documentation run, with models that need no download."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of the frameworks

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "recipes"))
X = torch.rand(40, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) % 3


def test_a_callback_records_the_test_of_lightning(tmp_path: Path) -> None:
    from lightning import LightningModule, Trainer
    from lightning_callback import RecordTest

    class Network(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(8, 6), nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc2(self.fc1(x).relu())

        def test_step(self, batch: Any, batch_idx: int) -> dict[str, torch.Tensor]:
            logits = self(batch[0])
            return {"loss": nn.functional.cross_entropy(logits, batch[1]), "logits": logits}

    model = Network()
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        callbacks=[RecordTest(str(tmp_path / "recorded"), layers=["fc1"])], default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.test(model, DataLoader(TensorDataset(X, Y), 16), verbose=False)
    with torch.no_grad():
        expected = model.fc1(X)
    np.testing.assert_allclose(np.load(tmp_path / "recorded" / "test" / "fc1.npy"), expected, atol=1e-6)


WORDS = ["good", "bad", "fine", "film", "plot", "the", "a", "was", "very"]


def test_a_text_classifier_of_a_trainer_is_recorded_with_its_texts(tmp_path: Path) -> None:
    from huggingface_trainer import record_trainer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        DataCollatorWithPadding,
        PreTrainedTokenizerFast,
        Trainer,
        TrainingArguments,
    )  # fmt: skip

    vocabulary = {word: k for k, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]")
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(WORDS, generator.integers(2, 9))) for _ in range(60)]
    rows = [{**tokenizer(text), "label": int("good" in text)} for text in texts]
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        id2label={0: "other", 1: "good"}, label2id={"other": 0, "good": 1},
    )  # fmt: skip
    arguments = TrainingArguments(
        str(tmp_path / "trainer"), max_steps=2, per_device_train_batch_size=8, report_to=[], use_cpu=True,
        save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(
        BertForSequenceClassification(config), arguments, train_dataset=rows[:40], eval_dataset=rows[40:],
        data_collator=DataCollatorWithPadding(tokenizer),
    )  # fmt: skip
    trainer.train()
    folder = record_trainer(trainer, tokenizer, tmp_path / "recorded")
    index = np.load(folder / "test" / "index.npy")
    shown = [json.loads(line)["text"] for line in (folder / "test" / "texts.jsonl").read_text().splitlines()]
    assert shown == [texts[40:][k] for k in index]
    described = json.loads((folder / "representations.json").read_text())
    assert described["class_names"] == ["other", "good"]
    assert described["samples"] == {"test": 20, "train": 40}
    assert described["layers"] == {"penultimate": 16, "encoder": 16}
    splits = json.loads((folder / "recording.json").read_text())["splits"]
    assert splits["train"]["index"] == "dataset"  # though a trainer shuffles it
    # A text's numbers don't depend on the padding of its batch.
    with torch.no_grad():
        alone = trainer.model.eval()(**tokenizer(texts[40], return_tensors="pt")).logits
    np.testing.assert_allclose(np.load(folder / "test" / "logits.npy")[index == 0], alone, atol=1e-5)
