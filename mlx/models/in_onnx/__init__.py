"""Networks of other frameworks, exported to ONNX."""
