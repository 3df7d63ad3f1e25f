"""Statistical battery of the keyed draws.

Every comparison gives one p-value and fails below ALARM. Seeds are fixed, so a pass is a pass for ever. For a
new seed or a new mixer that is right, the chance of any failure in the file is below ALARM times the number
of comparisons (about 145), 1.5 in ten thousand. The last tests show the power: weak mixers are caught.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from careload import draws
from careload.draws import child, index16, name_key, root_key, uniform
from careload.poisson import poisson

ALARM = 1e-6
SIZE = 1 << 17
PURPOSE = name_key("battery")

Keys = NDArray[np.uint64]


def ordinals() -> Keys:
    return child(root_key(1), 0, 0, 3, 17, np.arange(SIZE))


def days() -> Keys:
    return child(child(root_key(2), 0, 0, 3, np.arange(SIZE)), 0)


def practices() -> Keys:
    return child(child(root_key(3), 0, np.arange(SIZE)), 3, 17, 0)


@lru_cache
def seeds() -> Keys:
    return np.array([child(root_key(seed), 0, 5) for seed in range(SIZE // 8)])


@lru_cache
def names() -> Keys:
    return child(np.array([child(root_key(1), name_key(f"task {i}")) for i in range(SIZE // 8)]), 4)


def grid() -> Keys:
    """Replication x practice x task x day x ordinal, neighbours in every direction."""
    key = child(root_key(4), np.arange(4)[:, None, None, None, None])
    key = child(key, np.arange(8)[:, None, None, None], np.arange(16)[:, None, None])
    return child(key, np.arange(32)[:, None], np.arange(8)).reshape(-1)


def powers() -> Keys:
    """Coordinates with one or two bits set, positive and negative, under many parents."""
    one = np.left_shift(1, np.arange(62))
    two = (one[:, None] | one[None, :])[np.triu_indices(62)]
    coords = np.concatenate((two, -two))
    return child(child(root_key(5), np.arange(32)[:, None]), coords).reshape(-1)


STREAMS = [ordinals, days, practices, seeds, names, grid, powers]
streams = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)


def chi2_p(counts: NDArray[np.integer], expected: NDArray[np.floating] | float) -> float:
    """Two-sided p-value of a chi-square statistic: too even is as wrong as too uneven."""
    statistic = float(((counts - expected) ** 2 / expected).sum())
    upper = float(special.chdtrc(counts.size - 1, statistic))
    return 2 * min(upper, 1 - upper)


def cells_p(cells: NDArray[np.integer], n_cells: int) -> float:
    """P-value of equal shares of the cells."""
    return chi2_p(np.bincount(cells.reshape(-1), minlength=n_cells), cells.size / n_cells)


def pairs_p(u: NDArray[np.floating], v: NDArray[np.floating], n: int = 16) -> float:
    """P-value of independence and uniformity of pairs on an n x n grid."""
    return cells_p((u * n).astype(np.int64) * n + (v * n).astype(np.int64), n * n)


def bits_p(words: Keys) -> float:
    """P-value of the worst of 64 bits, corrected for looking at all of them."""
    ones = np.unpackbits(words.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little").sum(axis=0)
    z = np.abs(ones - words.size / 2) / np.sqrt(words.size / 4)
    return min(1.0, 64 * 2 * float(special.ndtr(-z.max())))


def avalanche_p(change: Callable[[int], Keys], before: Keys) -> float:
    """P-value of the worst of 64 x 64: output bit j flips half of the time when input bit i flips."""
    worst = 0.0
    for i in range(64):
        flips = np.unpackbits((before ^ change(i)).view(np.uint8).reshape(-1, 8), axis=1).sum(axis=0)
        worst = max(worst, float(np.abs(flips - before.size / 2).max() / np.sqrt(before.size / 4)))
    return min(1.0, 64 * 64 * 2 * float(special.ndtr(-worst)))


@streams
def test_uniform_cells(stream: Callable[[], Keys]):
    assert cells_p((uniform(stream(), PURPOSE) * 1024).astype(np.int64), 1024) > ALARM


@streams
def test_uniform_distribution(stream: Callable[[], Keys]):
    assert stats.kstest(uniform(stream(), PURPOSE), "uniform", method="asymp").pvalue > ALARM


@streams
@pytest.mark.parametrize("lag", [1, 2, 8, 256])
def test_serial_pairs(stream: Callable[[], Keys], lag: int):
    u = uniform(stream(), PURPOSE)
    u = u[: u.size // (2 * lag) * 2 * lag].reshape(-1, 2, lag)
    assert pairs_p(u[:, 0], u[:, 1]) > ALARM


@streams
def test_serial_triples(stream: Callable[[], Keys]):
    u = uniform(stream(), PURPOSE)
    cells = (u[: u.size // 3 * 3].reshape(-1, 3) * 8).astype(np.int64) @ np.array([64, 8, 1])
    assert cells_p(cells, 512) > ALARM


@streams
def test_every_bit_of_a_key(stream: Callable[[], Keys]):
    words = stream()
    assert bits_p(words) > ALARM
    assert bits_p(words[1::2] ^ words[: words.size // 2 * 2 : 2]) > ALARM


@streams
def test_low_digits_of_a_uniform(stream: Callable[[], Keys]):
    low = np.modf(uniform(stream(), PURPOSE) * 2.0**40)[0]
    assert cells_p((low * 256).astype(np.int64), 256) > ALARM


@streams
def test_purposes_of_one_key_are_independent(stream: Callable[[], Keys]):
    keys = stream()
    near = np.uint64(int(PURPOSE) ^ 1)
    for other in (name_key("battery 2"), near):
        assert pairs_p(uniform(keys, PURPOSE), uniform(keys, other)) > ALARM


@streams
def test_parent_and_child_are_independent(stream: Callable[[], Keys]):
    keys = stream()
    for ordinal in (0, 1):
        assert pairs_p(uniform(keys, PURPOSE), uniform(child(keys, ordinal), PURPOSE)) > ALARM


@streams
def test_index_cells(stream: Callable[[], Keys]):
    keys = stream()
    n = 1 << 10 if keys.size < SIZE else 1 << 13
    assert cells_p(index16(keys, PURPOSE) * n >> 16, n) > ALARM


def test_every_index_is_reached_equally_often():
    assert cells_p(index16(child(root_key(7), np.arange(1 << 20)), PURPOSE), 1 << 16) > ALARM


def test_swapped_coordinates_are_independent():
    a, b = np.triu_indices(400, k=1)
    key = root_key(11)
    assert pairs_p(uniform(child(key, a, b), PURPOSE), uniform(child(key, b, a), PURPOSE)) > ALARM


def test_neighbours_in_two_coordinates_are_independent():
    key = child(root_key(12), np.arange(0, 600)[:, None], np.arange(0, 600))
    u = uniform(key, PURPOSE)
    for neighbour in (u[1::2, ::2], u[::2, 1::2], u[1::2, 1::2]):
        assert pairs_p(u[::2, ::2], neighbour) > ALARM


def test_sums_over_a_practice_vary_as_sums_of_independent_draws():
    u = uniform(child(child(root_key(13), np.arange(4000))[:, None], np.arange(100)), PURPOSE)
    z = (u.sum(axis=1) - 50) / np.sqrt(100 / 12)
    statistic = float((z**2).sum())
    assert 2 * min(special.chdtr(4000, statistic), special.chdtrc(4000, statistic)) > ALARM


def test_avalanche_of_coordinate_and_key():
    key = child(root_key(14), np.arange(1 << 12))
    coords = np.arange(1 << 12).astype(np.uint64)
    bit = [np.uint64(1 << i) for i in range(64)]
    assert (
        avalanche_p(lambda i: child(root_key(1), coords ^ bit[i], 0), child(root_key(1), coords, 0)) > ALARM
    )
    assert avalanche_p(lambda i: child(key ^ bit[i], 3), child(key, 3)) > ALARM


@streams
def test_collisions_of_half_keys(stream: Callable[[], Keys]):
    """Keys cut to 32 bits, upper and lower: repeated values follow the Poisson law of n**2 / 2**33."""
    keys = stream()
    for half in (keys >> np.uint64(32), keys & np.uint64(0xFFFFFFFF)):
        repeats = half.size - len(np.unique(half))
        expected = half.size * (half.size - 1) / 2.0**33
        upper = float(special.pdtrc(repeats - 1, expected)) if repeats else 1.0
        assert 2 * min(upper, float(special.pdtr(repeats, expected))) > ALARM


def test_birthday_spacings():
    """Equal gaps among 4,096 birthdays in a year of 2**32 days follow the Poisson law of n**3 / (4 days)."""
    key = child(root_key(15), np.arange(200)[:, None], np.arange(1 << 12))
    for shift in (0, 16, 32):
        year = (key >> np.uint64(shift)) & np.uint64(0xFFFFFFFF)
        gaps = np.sort(np.diff(np.sort(year, axis=1), axis=1), axis=1)
        equal = int((np.diff(gaps, axis=1) == 0).sum())
        expected = 200 * (1 << 36) / 2.0**34
        upper = float(special.pdtrc(equal - 1, expected))
        assert 2 * min(upper, float(special.pdtr(equal, expected))) > ALARM


@pytest.mark.parametrize("mean", [0.01, 0.3, 2.5, 30.0, 90.0, 400.0])
def test_poisson_counts_follow_the_law(mean: float):
    n = poisson(uniform(child(root_key(16), np.arange(SIZE)), PURPOSE), mean)
    top = int(special.pdtrik(1 - 20 / SIZE, mean)) + 1
    low = int(max(0, special.pdtrik(min(20 / SIZE, 0.5), mean)))
    edges = np.arange(low, top + 1)
    law = np.diff(np.concatenate(([0.0], special.pdtr(edges, mean), [1.0])))
    counts = np.bincount(np.clip(n, low, top + 1) - low, minlength=edges.size + 1)
    assert chi2_p(counts, law * SIZE) > ALARM
    z = (n.mean() - mean) / np.sqrt(mean / SIZE)
    assert 2 * special.ndtr(-abs(z)) > ALARM


def weak_shift(z: Keys, scratch: Keys) -> None:
    z ^= z >> np.uint64(32)


def weak_product(z: Keys, scratch: Keys) -> None:
    z *= np.uint64(0x94D049BB133111EB)


def weak_half(z: Keys, scratch: Keys) -> None:
    """One of the two rounds."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)


@pytest.mark.parametrize("mixer", [weak_shift, weak_product, weak_half])
def test_a_weak_mixer_is_caught(mixer: Callable[[Keys, Keys], None], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(draws, "_mix_block", mixer)
    coords = np.arange(1 << 12).astype(np.uint64)
    before = child(root_key(1), coords)
    avalanche = avalanche_p(lambda i: child(root_key(1), coords ^ np.uint64(1 << i)), before)
    assert avalanche < ALARM
    assert bits_p(powers()) < ALARM


@pytest.mark.parametrize("mixer", [weak_shift, weak_product])
def test_a_weak_mixer_shows_in_the_draws(
    mixer: Callable[[Keys, Keys], None], monkeypatch: pytest.MonkeyPatch
):
    """Half of the finaliser is left out here: two such halves in a row pass every test of the draws alone."""
    monkeypatch.setattr(draws, "_mix_block", mixer)
    low = np.modf(uniform(powers(), PURPOSE) * 2.0**40)[0]
    assert cells_p((low * 256).astype(np.int64), 256) < ALARM


def test_a_purpose_that_is_ignored_is_caught():
    u = uniform(ordinals(), PURPOSE)
    assert pairs_p(u, u) < ALARM
