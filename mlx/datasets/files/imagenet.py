"""``imagenet``: a folder of photographs a class, of any size, brought to one."""

from mlx.core.errors import DataError
from mlx.datasets.dataset import Dataset
from mlx.datasets.files.divided_folder import list_image_set
from mlx.datasets.files.download import cache_folder, existing_folder
from mlx.datasets.files.folder_set import ImageForm, PixelSize, open_image_folder
from mlx.datasets.files.stored import StoredParams

CONTENT = "a subfolder of JPEG or PNG images for each class"


class ImagenetParams(StoredParams):
    """Parameters of ``imagenet``.

    Attributes
    ----------
    image_size
        Pixels: one number for square images, or height and width.
    skip_corrupt
        Leave images out that can't be read, instead of ending with an error; each image is then
        decoded once more, beforehand, and ``details["skipped"]`` counts and names them.
    test_path
        A folder with the test part, laid out like that of ``dataset.path``.
    """

    image_size: PixelSize = 224
    skip_corrupt: bool = False
    test_path: str | None = None


def open_imagenet(params: ImagenetParams, path: str | None) -> Dataset:
    """Photographs, scaled and cropped at the center; X is uint8 of shape (n_samples, height, width, 3).

    The folder has a subfolder a class, as the training part of ImageNet has (``n01440764`` and so on), or ``train/``
    and ``test/`` or ``val/`` with one each; the classes are called as the subfolders are.

    Source: O. Russakovsky et al., "ImageNet large scale visual recognition challenge", International
    Journal of Computer Vision 115, 2015.

    Raises
    ------
    DataError
        If the folder is not there, or a class in it is empty.
    """
    cached = cache_folder() / "imagenet"
    if path is None and not cached.is_dir():
        raise DataError(
            f"dataset imagenet: its files are not there; looked in {cached} for {CONTENT}; set dataset.path "
            "to the folder where they are; it can't be downloaded without an account at image-net.org"
        )
    root = cached if path is None else existing_folder(path, CONTENT)
    form = ImageForm(params.image_size, 3, params.skip_corrupt)
    test = None if params.test_path is None else existing_folder(params.test_path, CONTENT, "dataset.params.test_path")
    return open_image_folder("imagenet", list_image_set(root, test), params, form)
