"""Figures of a classifier from its confusion matrix; rows are the truth, columns what was said."""

from __future__ import annotations

from collections.abc import Sequence

Matrix = list[list[int]]


def confusion(truth: Sequence[int], said: Sequence[int], labels: int) -> Matrix:
    """Count what was said of each label's samples."""
    matrix = [[0] * labels for _ in range(labels)]
    for right, given in zip(truth, said, strict=True):
        matrix[right][given] += 1
    return matrix


def accuracy(matrix: Matrix) -> float:
    """The share that was named right."""
    return sum(matrix[k][k] for k in range(len(matrix))) / max(1, sum(map(sum, matrix)))


def macro_f1(matrix: Matrix) -> float:
    """The mean over labels of 2 * right / (said + true); 0 for a label that is neither."""
    scores = []
    for label, row in enumerate(matrix):
        both = sum(row) + sum(other[label] for other in matrix)
        scores.append(2 * row[label] / both if both else 0.0)
    return sum(scores) / len(scores)
