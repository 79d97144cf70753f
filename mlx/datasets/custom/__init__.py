"""The user's own data: arrays, tables, folders of images, or a function."""
