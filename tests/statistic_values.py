"""Values of weighted prompts, as a measure computes them, for the tests of intervals."""

import numpy as np


def mean_of(numbers):
    return lambda rows: (rows @ numbers / rows.sum(axis=1))[None]


def ratio_of(top, bottom):
    return lambda rows: mean_of(top)(rows) / mean_of(bottom)(rows)


def variance_of(numbers):
    return lambda rows: mean_of(numbers**2)(rows) - mean_of(numbers)(rows) ** 2


def correlation_of(x, y):
    def value(rows):
        covariance = mean_of(x * y)(rows) - mean_of(x)(rows) * mean_of(y)(rows)
        return covariance / np.sqrt(variance_of(x)(rows) * variance_of(y)(rows))

    return value
