"""Pixels of two sets paired one to one, as the Berkeley boundary benchmark pairs them.

Its C++ code solves an assignment in which leaving a pixel without a partner costs 100 times the
tolerance, far more than any pair, so that it finds as many pairs as there can be and, among such
matchings, one of least total distance. Here the same objective goes to SciPy's exact sparse
assignment, with one private "no partner" column of that cost for each pixel of the smaller set: in
a matching of k pairs the number of pixels left over is fixed by k on both sides, so the other set
needs none.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

# The benchmark's: the cost of a pixel without a partner, as a multiple of the tolerance.
OUTLIER_COST = 100

# The benchmark's too: distances count in whole hundredths of a pixel. With sums of roots, that
# differ in the last bit, SciPy's solver may bid for ever for columns that are equally good.
UNITS_PER_PIXEL = 100

# Pixels that are solved at once, at least: the solver's time grows with the square.
BLOCK = 200


def match_pixels(first, second, radius):
    """Pair as many pixels of two sets as can be, at least total distance.

    Parameters
    ----------
    first, second : scipy.spatial.cKDTree
        Of their places, shape (n, 2) and (m, 2), in pixels.
    radius : float
        Largest distance between partners, in pixels.

    Returns
    -------
    numpy.ndarray, shape (k,), intp
        The indices of those in `first` that get a partner. Which ones is not determined where
        several are equally near.

    Examples
    --------
    >>> from scipy.spatial import cKDTree
    >>> first, second = cKDTree([[0, 0], [0, 3], [9, 9]]), cKDTree([[0, 1], [0, 2]])
    >>> match_pixels(first, second, radius=2).tolist()
    [0, 1]
    """
    if not (first.n and second.n):
        return np.empty(0, np.intp)
    near = first.sparse_distance_matrix(second, radius, output_type="ndarray")
    if not near.size:
        return np.empty(0, np.intp)
    # Pixels without any neighbour take no part: most of a cluttered map, and most of the time.
    (own, rows), (other, columns) = _numbered(near["i"], first.n), _numbered(near["j"], second.n)
    costs = np.rint(near["v"] * UNITS_PER_PIXEL)
    price = np.rint(OUTLIER_COST * UNITS_PER_PIXEL * max(radius, 1))
    if len(own) <= len(other):
        return own[_assigned(rows, columns, costs, price)[0]]
    return own[_assigned(columns, rows, costs, price)[1]]


def _numbered(indices, count):
    """Those that occur, in order, and for each index its place among them."""
    occurs = np.zeros(count, bool)
    occurs[indices] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[indices]


def _assigned(rows, columns, costs, price):
    """The rows and columns that are paired, each at most once; a row may stay alone for `price`."""
    paired = []
    for edges in _blocks(rows, columns):
        own, at_row = _numbered(rows[edges], rows.max() + 1)
        other, at_column = _numbered(columns[edges], columns.max() + 1)
        row, column = _solved(at_row, at_column, costs[edges], price)
        paired.append((own[row], other[column]))
    return tuple(np.concatenate(side) for side in zip(*paired, strict=True))


def _blocks(rows, columns):
    """The edges in groups that share no row and no column."""
    height = rows.max() + 1
    size = height + columns.max() + 1
    edges = csr_array((np.ones(len(rows)), (rows, height + columns)), shape=(size, size))
    _, parts = connected_components(edges, directed=False)
    pixels = np.bincount(parts)
    # Small parts share a block: a call has its price too.
    block = (np.cumsum(pixels) - pixels) // BLOCK
    of_edge = block[parts[rows]]
    order = np.argsort(of_edge, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(of_edge[order])) + 1)


def _solved(rows, columns, costs, price):
    count, width = rows.max() + 1, columns.max() + 1
    alone = np.arange(count)
    rows, columns = np.append(rows, alone), np.append(columns, width + alone)
    # One is added to every cost, which changes no choice: a zero would count as no edge.
    costs = np.append(costs, np.full(count, price)) + 1
    graph = csr_array((costs, (rows, columns)), shape=(count, width + count))
    rows, columns = min_weight_full_bipartite_matching(graph)
    paired = columns < width
    return rows[paired], columns[paired]
