"""Published sets in their original files, and folders of images."""
