"""What the gallery shows: for each step the line of code and the photograph that it is shown on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """How one step is shown.

    Parameters
    ----------
    code : str
        The step, or the pipeline that it ends.
    image : str
        What it is called with.
    given : str
        Lines that `code` needs before.
    show : tuple of int or "tiles"
        Which stages of the trace; or what a classifier says of many pictures.
    titles : tuple of str or None
        Of the panels; None: the names of the steps.
    channels : bool
        Whether the channels of the result are shown each for itself.
    means : bool
        Whether a label map is shown in the mean colours of its regions.
    columns : int or None
        Panels in a row; None: all.
    """

    code: str
    image: str = "coffee"
    given: str = ""
    show: tuple | str = (-2, -1)
    titles: tuple | None = None
    channels: bool = False
    means: bool = False
    columns: int | None = None


@dataclass(frozen=True)
class Topic:
    """One page: its title, what it says first, whose picture stands for it, and the examples."""

    title: str
    words: str
    cover: str
    examples: dict


# Where the code of the examples finds what is no step.
HOMES = {
    "data": "skimage",
    "load_sample_images": "sklearn.datasets",
    "SVC": "sklearn.svm",
    "digit_sheet": "gallery_scenes",
    "digits": "gallery_scenes",
    "ean_code": "gallery_scenes",
    "faces": "gallery_scenes",
    "few": "gallery_scenes",
    "herd": "gallery_scenes",
    "noted": "gallery_scenes",
    "qr_code": "gallery_scenes",
    "scenes": "gallery_scenes",
    "textures": "gallery_scenes",
    "hog_color_svm": "classical",
    "hog_linear_svm": "classical",
    "hog_svm": "classical",
    "histogram_forest": "classical",
    "lbp_knn": "classical",
    "pixels_bayes": "classical",
    "words_svm": "classical",
}
# Each picture by name, and how it is made; later ones may use those before.
NAMES = {
    "astronaut": "data.astronaut()",
    "brick": "data.brick()",
    "camera": "data.camera()",
    "cat": "data.chelsea()",
    "checkerboard": "data.checkerboard()",
    "coffee": "data.coffee()",
    "coins": "data.coins()",
    "galaxies": "data.hubble_deep_field()[:300, :330]",
    "gravel": "data.gravel()",
    "horse": '(~data.horse()).astype("uint8") * 255',
    "moon": "data.moon()",
    "page": "data.page()",
    "retina": "data.retina()[400:1060:2, 250:910:2]",
    "rocket": "data.rocket()",
    "text": "data.text()",
    "tissue": "data.immunohistochemistry()[::2, 184::2]",
    "china": "load_sample_images().images[0]",
    "flower": "load_sample_images().images[1]",
    "eye": "cat[75:200, 105:265]",
    "man": "camera[40:360, 90:410]",
    "noisy": "GaussianNoise(25)(eye)",
    "lamplight": '(astronaut * (1, 0.8, 0.5)).astype("uint8")',
    "mask": "(TopHat(81) >> Otsu())(coins)",
    "letters": "Sauvola(25, invert=True)(page)[8:38, 2:80]",
    "board": "Perspective([[0.8, 0.1, 3], [0.1, 0.8, 3], [0.0005, 0.001, 1]], 164, 164)"
    "(checkerboard)",
    "horses": "herd(horse, mask)",
    "coded": 'Rotate(15)(noted(coffee, qr_code("a cup of coffee"), 230, 110))',
    "priced": 'Rotate(-10)(noted(coffee, ean_code("4006381333931"), 190, 130))',
}

COLOUR = {
    "Gray": Example("Gray()"),
    "ToRGB": Example("ToRGB()", "camera", channels=True),
    "ToHSV": Example("ToHSV()", "flower"),
    "HSVToRGB": Example("ToHSV() >> HSVToRGB()", "flower"),
    "ToHLS": Example("ToHLS()", "flower"),
    "HLSToRGB": Example("ToHLS() >> HLSToRGB()", "flower"),
    "ToLab": Example("ToLab()", "flower"),
    "LabToRGB": Example("ToLab() >> LabToRGB()", "flower"),
    "ToYCrCb": Example("ToYCrCb()", "flower"),
    "YCrCbToRGB": Example("ToYCrCb() >> YCrCbToRGB()", "flower"),
    "ToCMYK": Example("ToCMYK()", "flower"),
    "CMYKToRGB": Example("ToCMYK() >> CMYKToRGB()", "flower"),
    "Channel": Example('ToHSV() >> Channel("hsv", "s")', show=(0, -1)),
    "WhiteBalance": Example("WhiteBalance()", "lamplight"),
    "ColorDistance": Example("ColorDistance((150, 30, 10))"),
}
INTENSITY = {
    "ToUint8": Example("ToFloat() >> ToUint8()", "camera"),
    "ToFloat": Example("ToFloat()", "camera"),
    "Normalize": Example("LoG(4) >> Normalize()", "camera"),
    "ContrastStretching": Example("ContrastStretching()", "moon"),
    "GammaCorrection": Example("GammaCorrection(0.5)", "rocket"),
    "BrightnessContrast": Example("BrightnessContrast(brightness=-60, contrast=1.6)", "cat"),
    "Negative": Example("Negative()", "flower"),
    "HistogramEqualization": Example("HistogramEqualization()", "moon"),
    "CLAHE": Example("CLAHE(4)", "retina"),
    "HistogramMatching": Example("HistogramMatching(coffee)", "cat"),
}
GEOMETRY = {
    "Resize": Example("Resize(width=45, height=30)", "cat"),
    "Letterbox": Example("Letterbox(320, value=128)", "cat"),
    "Crop": Example("Crop(left=130, top=60, width=200, height=140)", "cat"),
    "Pad": Example('Pad(80, border="reflect")', "cat"),
    "Flip": Example("Flip()", "cat"),
    "Rotate": Example("Rotate(20, expand=True)", "cat"),
    "Affine": Example("Affine([[1, 0.3, -40], [0, 1, 0]], value=255)", "cat"),
    "Perspective": Example("Perspective([[1, 0.3, 0], [0, 1.6, 0], [0, 0.002, 1]])", "cat"),
    "Rectify": Example("Rectify([(71, 0), (424, 0), (509, 511), (8, 511)])", "brick"),
}
FILTERS = {
    "GaussianBlur": Example("GaussianBlur(15)", "cat"),
    "MedianBlur": Example("SaltAndPepperNoise() >> MedianBlur()", "eye"),
    "BoxBlur": Example("BoxBlur(15)", "cat"),
    "UnsharpMask": Example("UnsharpMask(sigma=2, amount=2)", "eye"),
    "Convolution": Example("Convolution([[1, 0, -1]] * 3)", "man"),
    "BilateralFilter": Example("BilateralFilter(size=11, sigma_color=60, sigma_space=5)", "noisy"),
    "NonLocalMeans": Example("NonLocalMeans()", "noisy"),
    "TotalVariation": Example("TotalVariation()", "noisy"),
    "GaussianNoise": Example("GaussianNoise()", "eye"),
    "SaltAndPepperNoise": Example("SaltAndPepperNoise()", "eye"),
    "SpeckleNoise": Example("SpeckleNoise(0.25)", "eye"),
    "PoissonNoise": Example("PoissonNoise(peak=20)", "eye"),
    "NoiseLevel": Example("GaussianNoise(20) >> NoiseLevel()", "eye"),
    "JPEGCompression": Example("JPEGCompression(8)", "eye"),
}
THRESHOLD = {
    "Otsu": Example("Otsu()", "camera"),
    "InRange": Example(
        'ToHSV() >> InRange("hsv", (170, 150, 60), (8, 255, 255))', "coffee", show=(0, -1)
    ),
    "Threshold": Example("Gray() >> Threshold(100)", "flower", show=(0, -1)),
    "Triangle": Example("Gray() >> Triangle()", "galaxies", show=(0, -1)),
    "AutoThreshold": Example('AutoThreshold("li")', "coins"),
    "MultiOtsu": Example("MultiOtsu(4)", "camera", means=True),
    "AdaptiveThreshold": Example("AdaptiveThreshold(size=35, offset=10)", "page"),
    "Niblack": Example("Niblack(size=25, k=0.8)", "page"),
    "Sauvola": Example("Sauvola(size=25)", "page"),
    "HysteresisThreshold": Example("TopHat(81) >> HysteresisThreshold(60, 140)", "coins"),
}
MORPHOLOGY = {
    "Erosion": Example("Erosion(7)", "mask"),
    "Dilation": Example("Dilation(7)", "mask"),
    "Opening": Example('Opening(9, "ellipse")', "mask"),
    "Closing": Example('Closing(9, "ellipse")', "mask"),
    "MorphologicalGradient": Example("MorphologicalGradient(5)", "man"),
    "TopHat": Example("TopHat(81)", "coins"),
    "BlackHat": Example("BlackHat(15)", "page"),
    "HitOrMiss": Example("HitOrMiss([[-1, -1, -1], [-1, 1, 1], [-1, 1, 1]])", "letters"),
    "Skeleton": Example("Skeleton()", "horse"),
    "FillHoles": Example("FillHoles()", "mask"),
    "RemoveSmallObjects": Example("Gray() >> Triangle() >> RemoveSmallObjects(60)", "galaxies"),
    "KeepLargest": Example("KeepLargest(5)", "mask"),
    "ClearBorder": Example("ClearBorder()", "mask[50:250, 40:340]"),
    "Reconstruction": Example("Reconstruction(Erosion(21))", "mask"),
    "HMaxima": Example("HMaxima(80)", "gravel[:164, :164]"),
    "HMinima": Example("HMinima(80)", "gravel[:164, :164]"),
    "LocalMaxima": Example(
        "FillHoles() >> DistanceTransform() >> HMaxima(2) >> LocalMaxima()", "mask[100:220, :160]"
    ),
    "DistanceTransform": Example("DistanceTransform()", "horse"),
}
_BRIGHT_AND_ORANGE = """\
bright = Gray() >> Threshold(150)
orange = ToHSV() >> InRange("hsv", (0, 100, 0), (30, 255, 255))"""
BITWISE = {
    "ApplyMask": Example("ApplyMask(GrabCut(box=(160, 40, 480, 370)), fill=255)", "flower"),
    "Not": Example("Not()", "horse"),
    "And": Example(
        "bright & orange",
        "flower",
        _BRIGHT_AND_ORANGE,
        show=(0, 2, 4, -1),
        titles=("flower", "bright", "orange", "bright & orange"),
    ),
    "Or": Example(
        "bright | orange",
        "flower",
        _BRIGHT_AND_ORANGE,
        show=(0, 2, 4, -1),
        titles=("flower", "bright", "orange", "bright | orange"),
    ),
    "Xor": Example(
        "Dilation(9) ^ Erosion(9)",
        "horse",
        show=(0, 1, 2, -1),
        titles=("horse", "Dilation", "Erosion", "Xor"),
    ),
    "Branches": Example(
        'Branches({"mask": Otsu(), "edges": Canny(), "strength": Sobel()})', "man", show=(0, -1)
    ),
    "Pick": Example(
        'Branches({"mask": Otsu(), "edges": Canny()}) >> Pick("edges")', "man", show=(0, -1)
    ),
}
EDGES = {
    "Canny": Example("Canny(60, 160)", "man"),
    "Sobel": Example("Sobel()", "man"),
    "Scharr": Example("Scharr()", "man"),
    "Prewitt": Example('Prewitt(output="edges")', "man"),
    "Roberts": Example("Roberts()", "man"),
    "Laplacian": Example("Laplacian()", "man"),
    "LoG": Example('LoG(3, output="edges")', "man"),
    "DoG": Example("DoG(3)", "man"),
}
CONTOURS = {
    "FindContours": Example("TopHat(81) >> Otsu() >> FindContours(min_area=100)", "coins"),
    "FilterContours": Example(
        "TopHat(81) >> Otsu() >> FindContours() >> FilterContours(area=(1500, None))", "coins"
    ),
    "FilterByColor": Example(
        "FilterByColor(parts, (220, 120, 60))",
        "flower",
        "parts = Gray() >> Otsu() >> FindContours(min_area=50)",
    ),
    "MatchShapes": Example(
        "FindContours() >> MatchShapes(horse) >> FillContours()",
        "horses",
        show=(0, -1),
        titles=("horses", "MatchShapes, filled"),
    ),
    "ApproximatePolygons": Example("FindContours() >> ApproximatePolygons(0.003)", "horse"),
    "ConvexHulls": Example("FindContours() >> ConvexHulls()", "horse"),
    "FillContours": Example(
        "TopHat(81) >> Otsu() >> FindContours(min_area=300) >> FillContours()", "coins"
    ),
    "ConnectedComponents": Example("FillHoles() >> ConnectedComponents()", "mask"),
    "FilterRegions": Example(
        "FillHoles() >> ConnectedComponents() >> FilterRegions(area=(1500, None))", "mask"
    ),
    "LabelsToMask": Example("KMeansSegmenter(4) >> LabelsToMask([3, 4])", "flower", means=True),
}
LINES = {
    "HoughLines": Example("Canny() >> HoughLines(threshold=150)", "brick"),
    "HoughSegments": Example(
        "Gray() >> Canny() >> HoughSegments(threshold=40, min_length=40, max_gap=4)", "rocket"
    ),
    "LineSegmentDetector": Example("Gray() >> LineSegmentDetector(min_length=20)", "china"),
    "RANSACLines": Example("Canny() >> RANSACLines(max_lines=3)", "text"),
    "MergeLines": Example("Canny() >> HoughLines(threshold=150) >> MergeLines()", "brick"),
    "HoughCircles": Example("HoughCircles(perfectness=0.6, min_radius=10, max_radius=40)", "coins"),
}
KEYPOINTS = {
    "HarrisCorners": Example("HarrisCorners(max_corners=50)", "camera[100:264, 210:374]"),
    "ShiTomasiCorners": Example("ShiTomasiCorners(max_corners=50)", "camera[100:264, 210:374]"),
    "FAST": Example("FAST(60)", "man"),
    "ORB": Example("ORB(25)", "man"),
    "SIFT": Example("SIFT(60)", "man"),
    "LoGBlobs": Example("Gray() >> LoGBlobs(max_sigma=15)", "galaxies"),
    "DoGBlobs": Example("Gray() >> DoGBlobs(max_sigma=15)", "galaxies"),
    "SimpleBlobs": Example('SimpleBlobs("bright", min_area=200)', "coins"),
    "Frangi": Example("Gray() >> Frangi()", "retina", show=(0, -1)),
    "Sato": Example("Gray() >> Sato()", "retina", show=(0, -1)),
    "CheckerboardCorners": Example("CheckerboardCorners(7, 7)", "board"),
    "FindObject": Example("Rotate(25) >> FindObject(cup)", given="cup = coffee[60:260, 160:420]"),
    "AlignTo": Example("Rotate(25) >> AlignTo(cup)", given="cup = coffee[60:260, 160:420]"),
}
SEGMENTATION = {
    "KMeansSegmenter": Example("KMeansSegmenter(5)", "flower", means=True),
    "MeanShiftSegmenter": Example("MeanShiftSegmenter(25, 12, min_size=300)", "china", means=True),
    "Watershed": Example("Watershed()", "coffee"),
    "DistanceWatershed": Example("FillHoles() >> Dilation(15) >> DistanceWatershed(3)", "mask"),
    "FloodFill": Example('FloodFill([(500, 40)], tolerance=3, compare_to="neighbor")', "china"),
    "RegionGrowing": Example("RegionGrowing([(380, 260), (60, 60)], tolerance=80)", "flower"),
    "SplitAndMerge": Example("SplitAndMerge(25)", "china", means=True),
    "SLIC": Example("SLIC(200)", "cat", means=True),
    "Felzenszwalb": Example("Felzenszwalb(600, min_size=200)", "coffee"),
    "GrabCut": Example("GrabCut(box=(160, 40, 480, 370))", "flower"),
    "ChanVese": Example("Gray() >> ChanVese()", "flower[::2, ::2]", show=(0, -1)),
    "PixelClassifier": Example(
        "PixelClassifier().fit([tissue[:128]], [brown(tissue[:128])])",
        "tissue[128:]",
        'brown = ColorDistance((170, 120, 70)) >> Threshold(25, "binary_inv") >> MedianBlur()',
    ),
}
FEATURES = {
    "RawPixels": Example("RawPixels(16)", "camera"),
    "ColorHistogram": Example("ColorHistogram(16)", "flower"),
    "HOG": Example("HOG(pixels_per_cell=16)", "astronaut"),
    "LBP": Example("LBP()", "gravel"),
    "GLCM": Example("GLCM()", "gravel"),
    "GaborBank": Example("GaborBank()", "brick"),
    "HuMoments": Example("HuMoments()", "horse"),
    "BagOfVisualWords": Example(
        "BagOfVisualWords(n_words=40).fit([camera, coins, brick])", "coins"
    ),
}
_SCENES = {"show": "tiles", "columns": 8}
RECOGNITION = {
    "Pipeline": Example(
        'Pipeline([("lbp", LBP()), ("svc", SVC())]).fit(*textures("first"))',
        "brick[:139, :139]",
        show=(0, 1, 2),
    ),
    "hog_svm": Example('hog_svm().fit(*faces("first"))', 'few(faces("second"))', **_SCENES),
    "hog_linear_svm": Example(
        'hog_linear_svm().fit(*faces("first"))', 'few(faces("second"))', **_SCENES
    ),
    "hog_color_svm": Example(
        'hog_color_svm().fit(*scenes("first"))', 'few(scenes("second"))', **_SCENES
    ),
    "lbp_knn": Example(
        'lbp_knn(grid=1).fit(*textures("first"))', 'few(textures("second"))', **_SCENES
    ),
    "histogram_forest": Example(
        'histogram_forest().fit(*scenes("first"))', 'few(scenes("second"))', **_SCENES
    ),
    "words_svm": Example(
        'words_svm().fit(*textures("first"))', 'few(textures("second"))', **_SCENES
    ),
    "pixels_bayes": Example(
        'pixels_bayes(8).fit(*digits("first"))', 'few(digits("second"))', **_SCENES
    ),
}
DETECTION = {
    "ToDetections": Example(
        "TopHat(81) >> Otsu() >> FindContours(min_area=300) >> ToDetections()", "coins"
    ),
    "MatchTemplate": Example(
        "MatchTemplate(coin, threshold=0.75)", "coins", "coin = coins[101:149, 80:126]"
    ),
    "HOGDetector": Example(
        "HOGDetector(40, 40, scale_factor=1.1).fit([left], [find(left)])",
        "coins[:, 200:]",
        "find = TopHat(81) >> Otsu() >> FindContours(min_area=300) >> ToDetections()\n"
        "left = coins[:, :200]",
    ),
    "FindFaces": Example("FindFaces()", "astronaut"),
    "FindQRCodes": Example("FindQRCodes()", "coded"),
    "FindBarcodes": Example("FindBarcodes()", "priced"),
    "ForEach": Example(
        "ForEach(find, name).fit([sheet], [truth])",
        "digit_sheet(128)[0]",
        "find = Otsu(invert=True) >> FindContours(min_area=30)\n"
        "name = Gray() >> RawPixels(12) >> SVC()\n"
        "sheet, truth = digit_sheet(0, rows=16)",
    ),
}

TOPICS = {
    "colour": Topic(
        "Colour", "Colour spaces, their channels, white balance and distance.", "ToHSV", COLOUR
    ),
    "intensity": Topic(
        "Intensity", "Levels, contrast and histograms.", "HistogramMatching", INTENSITY
    ),
    "geometry": Topic("Geometry", "Size, frame, place and perspective.", "Rotate", GEOMETRY),
    "filters": Topic(
        "Filters and noise",
        "Blurring, sharpening, denoising, and noise to try them on.",
        "NonLocalMeans",
        FILTERS,
    ),
    "threshold": Topic("Threshold", "From levels to masks.", "Sauvola", THRESHOLD),
    "morphology": Topic("Morphology", "The form of masks and levels.", "Skeleton", MORPHOLOGY),
    "bitwise": Topic(
        "Bitwise and branches",
        "Masks joined, pictures masked, several results of one pass.",
        "ApplyMask",
        BITWISE,
    ),
    "edges": Topic(
        "Edges", "Where levels change: a strength at every pixel, or thin edges.", "Sobel", EDGES
    ),
    "contours": Topic(
        "Contours and regions",
        "Outlines and regions, found, measured and filtered.",
        "FindContours",
        CONTOURS,
    ),
    "lines": Topic(
        "Lines and circles", "Straight lines, segments and circles.", "MergeLines", LINES
    ),
    "keypoints": Topic(
        "Keypoints", "Corners, blobs and ridges; known objects.", "FindObject", KEYPOINTS
    ),
    "segmentation": Topic(
        "Segmentation", "A region for every pixel, or one object cut out.", "SLIC", SEGMENTATION
    ),
    "features": Topic("Features", "Rows of numbers that classifiers learn from.", "HOG", FEATURES),
    "recognition": Topic(
        "Recognition",
        "Features and a classifier in one pipeline; ready recipes.",
        "hog_svm",
        RECOGNITION,
    ),
    "detection": Topic("Detection", "Objects found, boxed and named.", "ForEach", DETECTION),
}
