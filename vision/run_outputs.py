"""Whether the outputs of a run are as its ledger says."""

import numpy as np

from vision.fingerprints import check_sum
from vision.packing import is_packed, packed_intact
from vision.regular_file import file_state


def intact(out, entry, *, verify=False):
    """Whether the outputs of an entry are as they were written.

    Parameters
    ----------
    out : str
        The folder of the run.
    entry : dict
        Of the ledger.
    verify : bool, default=False
        Whether to read them even if size and time are the same.
    """
    for output in entry["outputs"]:
        if is_packed(output[0]):
            if not packed_intact(out, output, verify=verify):
                return False
        elif not unaltered(f"{out}/{output[0]}", output, verify=verify):
            return False
    return True


def unaltered(path, output, *, verify=False):
    """Whether a file is what the ledger says of an output.

    Parameters
    ----------
    path : str
        The file.
    output : list
        As the ledger has it: path, size, time, check sum.
    verify : bool, default=False
        Whether to read it even if size and time are the same.
    """
    _, size, changed, content = output
    found = file_state(path)
    if found is None or found[0] != size:
        return False
    return not (verify or found[1] != changed) or _sum_of_file(path) == content


def _sum_of_file(path):
    try:
        return check_sum(np.fromfile(path, np.uint8))
    except OSError:
        return None
