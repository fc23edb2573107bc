"""Classical computer vision and convolutional networks as steps of the same pipeline.

Everything public is found here by name and imported on first use.

Examples
--------
>>> import vision
>>> from classical import Gray, Otsu
>>> mask = Gray() >> Otsu()
>>> print(vision.to_text(mask))
- Gray
- Otsu
"""

from vision._lazy import attach

__version__ = "0.1.0"

_NAMES = {
    "And": "vision.bitwise",
    "Branches": "vision.branches",
    "Circles": "vision.shapes",
    "Classification": "vision.classification",
    "Contours": "vision.contours",
    "Detections": "vision.detections",
    "Estimate": "vision.intervals",
    "Explain": "vision.explaining",
    "FeatureStep": "vision.step",
    "ForEach": "vision.foreach",
    "Heatmap": "vision.heatmap",
    "ImageError": "vision.errors",
    "ImageIndexError": "vision.errors",
    "ImageNotFoundError": "vision.errors",
    "Images": "vision.images",
    "Keypoints": "vision.keypoints",
    "Kind": "vision.kinds",
    "KindError": "vision.errors",
    "Lines": "vision.shapes",
    "LoadError": "vision.errors",
    "Matches": "vision.matches",
    "MergeSummary": "vision.merging",
    "MissingDependencyError": "vision.errors",
    "Not": "vision.bitwise",
    "Or": "vision.bitwise",
    "OutputExistsError": "vision.errors",
    "ParameterError": "vision.errors",
    "Pick": "vision.branches",
    "Pipeline": "vision.pipeline",
    "Quadrilaterals": "vision.quadrilaterals",
    "RunStatus": "vision.run_status",
    "RunSummary": "vision.run_summary",
    "Segmentation": "vision.segmentation",
    "Step": "vision.step",
    "Trace": "vision.trace",
    "Tune": "vision.tuning",
    "Tuned": "vision.tuning",
    "UnknownNameError": "vision.errors",
    "VisionError": "vision.errors",
    "WriteError": "vision.errors",
    "Xor": "vision.bitwise",
    "accuracy_interval": "vision.intervals",
    "average_precision": "vision.detection_metrics",
    "baseline_map": "vision.explanation_table",
    "bootstrap_interval": "vision.intervals",
    "boundary_f": "vision.boundaries",
    "chain": "vision.composition",
    "compare": "vision.comparison",
    "confidence_change": "vision.faithfulness",
    "decode": "vision.io",
    "deletion_curve": "vision.faithfulness",
    "encode": "vision.io",
    "explain": "vision.explanation",
    "faithfulness_table": "vision.explanation_table",
    "from_text": "vision.text",
    "holm": "vision.paired_tests",
    "insertion_curve": "vision.faithfulness",
    "interact": "vision.interaction",
    "iou": "vision.metrics",
    "load": "vision.archive",
    "map_correlation": "vision.map_checks",
    "mcnemar": "vision.paired_tests",
    "mean_iou": "vision.metrics",
    "merge": "vision.merging",
    "paired_bootstrap": "vision.paired_tests",
    "panoptic_quality": "vision.panoptic",
    "pointing_game": "vision.map_checks",
    "probe": "vision.io",
    "psnr": "vision.metrics",
    "read": "vision.io",
    "recall_at_k": "vision.metrics",
    "replay": "vision.run_replay",
    "run": "vision.runner",
    "sanity_check": "vision.map_checks",
    "save": "vision.archive",
    "show": "vision.showing",
    "ssim": "vision.metrics",
    "status": "vision.run_status",
    "to_text": "vision.text",
    "tune": "vision.tuning",
    "write": "vision.io",
}

__getattr__, __dir__, __all__ = attach(__name__, _NAMES)
