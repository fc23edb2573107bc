"""Where the ImageNet weights of `keras.applications` lie, and the sums that prove them whole."""

import keras

from vision.errors import LoadError, ParameterError

GOOGLE = "https://storage.googleapis.com/"
FOLDER = f"{GOOGLE}tensorflow/keras-applications/"
KERNELS = "_weights_tf_dim_ordering_tf_kernels"

# By name of the function: address without its end, ends with and without the head, MD5 sums.
FILES = {
    "VGG16": (
        f"{FOLDER}vgg16/vgg16{KERNELS}",
        (".h5", "_notop.h5"),
        ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    ),
    "VGG19": (
        f"{FOLDER}vgg19/vgg19{KERNELS}",
        (".h5", "_notop.h5"),
        ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    ),
    "ResNet50": (
        f"{FOLDER}resnet/resnet50{KERNELS}",
        (".h5", "_notop.h5"),
        ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    ),
    "ResNet101": (
        f"{FOLDER}resnet/resnet101{KERNELS}",
        (".h5", "_notop.h5"),
        ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    ),
    "ResNet152": (
        f"{FOLDER}resnet/resnet152{KERNELS}",
        (".h5", "_notop.h5"),
        ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    ),
    "DenseNet121": (
        f"{FOLDER}densenet/densenet121{KERNELS}",
        (".h5", "_notop.h5"),
        ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    ),
    "DenseNet169": (
        f"{FOLDER}densenet/densenet169{KERNELS}",
        (".h5", "_notop.h5"),
        ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    ),
    "DenseNet201": (
        f"{FOLDER}densenet/densenet201{KERNELS}",
        (".h5", "_notop.h5"),
        ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    ),
    "Xception": (
        f"{FOLDER}xception/xception{KERNELS}",
        (".h5", "_notop.h5"),
        ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    ),
    # No sums are published for the MobileNets.
    "MobileNet": (
        f"{FOLDER}mobilenet/mobilenet_{{alpha}}_{{side}}_tf",
        (".h5", "_no_top.h5"),
        (None, None),
    ),
    "MobileNetV2": (
        f"{FOLDER}mobilenet_v2/mobilenet_v2{KERNELS}_{{alpha}}_{{side}}",
        (".h5", "_no_top.h5"),
        (None, None),
    ),
}
EFFICIENT_SUMS = (
    ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
)
FILES |= {
    f"EfficientNetB{size}": (
        f"{GOOGLE}keras-applications/efficientnetb{size}",
        (".h5", "_notop.h5"),
        sums,
    )
    for size, sums in enumerate(EFFICIENT_SUMS)
}

# The MobileNets were trained once for each width and input side; alpha as the address spells it.
WIDTHS = {
    "MobileNet": {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"},
    "MobileNetV2": {alpha: str(alpha) for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)},
}
SIDES = {"MobileNet": (128, 160, 192, 224), "MobileNetV2": (96, 128, 160, 192, 224)}


def official_file(architecture, input_shape, *, head, alpha=1.0):
    """The path of the official ImageNet weights, downloaded by Keras on first use.

    They are kept where `keras.applications` keeps them, so that neither downloads them twice.

    Parameters
    ----------
    architecture : Architecture
    input_shape : tuple of int
        Height, width and channels. The MobileNets have weights for some square sizes; any other
        takes those of 224 x 224.
    head : bool
        Whether the scores of the 1000 classes are wanted too.
    alpha : float, default=1.0
        Width multiplier of the MobileNets.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If there are none for the architecture, or none of this width.
    LoadError
        If they cannot be downloaded, or come damaged.
    """
    address, md5 = official_address(architecture, input_shape, head=head, alpha=alpha)
    try:
        return keras.utils.get_file(
            address.rpartition("/")[2], address, cache_subdir="models", file_hash=md5
        )
    except Exception as error:  # Keras raises it bare where the network fails
        raise LoadError(
            f"The ImageNet weights of {architecture.name} could not be downloaded: {error}. "
            f"Download {address} elsewhere and give the file's path as weights=."
        ) from error


def official_address(architecture, input_shape, *, head, alpha=1.0):
    """The address of `official_file` and the MD5 sum of what lies there, or None for the latter.

    Examples
    --------
    >>> from deep.architectures import find
    >>> address, md5 = official_address(find("xception"), (299, 299, 3), head=False)
    >>> address.rpartition("/")[2], md5[:4]
    ('xception_weights_tf_dim_ordering_tf_kernels_notop.h5', 'b004')
    """
    function = architecture.weights
    if function not in FILES:
        raise ParameterError(
            f"Keras has no ImageNet weights for {architecture.name}, only for {_with_weights()}. "
            "Give the path of a file, or weights=None for random ones."
        )
    address, ends, sums = FILES[function]
    if function in WIDTHS:
        address = address.format(
            alpha=_spelled(architecture, alpha), side=_side(function, input_shape)
        )
    return address + ends[not head], sums[not head]


def _with_weights():
    from deep.architectures import MODULES, find

    return ", ".join(name for name in sorted(MODULES) if find(name).weights in FILES)


def _spelled(architecture, alpha):
    widths = WIDTHS[architecture.weights]
    if alpha not in widths:
        raise ParameterError(
            f"Keras has ImageNet weights of {architecture.name} for alpha "
            f"{', '.join(str(width) for width in widths)}. Got alpha={alpha}."
        )
    return widths[alpha]


def _side(function, input_shape):
    height, width = input_shape[:2]
    return height if height == width and height in SIDES[function] else 224
