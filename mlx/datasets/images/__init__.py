"""Generated images: shapes, patterns, gradients and noise, drawn from recorded factors."""
