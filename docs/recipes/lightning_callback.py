"""Records what ``trainer.test`` of Lightning evaluates.

Usage: trainer = Trainer(callbacks=[RecordTest("recorded", layers=["fc1"])]); trainer.test(model, loader)

Then: mlx analyze recorded
"""

from typing import Any

from lightning import Callback, LightningModule, Trainer
from pytorch_recorder import Recorder


class RecordTest(Callback):
    """Records each batch of a test whose ``test_step`` returns the logits, or a dictionary with ``logits``."""

    def __init__(self, folder: str, **options: Any) -> None:
        self.folder, self.options = folder, options

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.recorder = Recorder(pl_module, self.folder, **self.options)
        self.recorder.__enter__()

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        self.recorder.add("test", outputs, batch[1])

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.recorder.__exit__(None, None, None)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if hasattr(self, "recorder"):
            self.recorder.__exit__(type(exception), exception, None)
