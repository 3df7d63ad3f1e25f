"""Draws as functions of their coordinates: no generator, no state, no scenario (docs/day.md, section 10).

A *key* is 64 bits that stand for a path of coordinates (seed, replication, practice, task, day, ordinal ...).
A draw is a function of a key and a purpose, so changing one patient, adding one draw or reordering files
moves nothing else, and two worlds that ask for the same coordinates get the same luck.

The only mixer is the published finaliser of SplitMix64 (Steele, Lea and Flood 2014, with the constants of
Stafford's variant 13), a bijection of 64 bits. Two steps are built on it:

- ``child(key, c) = mix(key + (c + 1) * golden)``: output c of the published SplitMix64 generator started at
  ``key``. It is injective in the coordinate for a fixed key and in the key for a fixed coordinate; every
  level is mixed before the next coordinate enters, so the order of coordinates matters. Two different paths
  agree with the birthday probability of 64 random bits.
- a draw is ``mix(key ^ purpose)`` where the purpose is a `name_key`. The key is mixed already, so the bits
  have passed the mixer twice since the last coordinate entered, and different purposes look independent.

All arithmetic wraps modulo 2**64 on purpose. Long arrays are worked in blocks that stay in the cache.
"""

from __future__ import annotations

import hashlib
from typing import Final, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["child", "events", "happens", "index16", "limit_of", "misses", "name_key", "root_key", "uniform"]

Keys: TypeAlias = NDArray[np.uint64] | np.uint64
Coordinate: TypeAlias = NDArray[np.integer] | np.integer | int


def _number(value: int) -> NDArray[np.uint64]:
    """A 64-bit number as an array without dimensions, which NumPy's loops take up faster than a scalar."""
    return np.array(value, dtype=np.uint64)


_GOLDEN: Final = _number(0x9E3779B97F4A7C15)
_FACTOR_1: Final = _number(0xBF58476D1CE4E5B9)
_FACTOR_2: Final = _number(0x94D049BB133111EB)
_SHIFT_1: Final = _number(30)
_SHIFT_2: Final = _number(27)
_SHIFT_3: Final = _number(31)
_TO_52_BITS: Final = _number(12)
_TO_16_BITS: Final = _number(48)
_ONE: Final = _number(0x3FF0000000000000)
_JUST_BELOW_ONE: Final = np.array(1.0 - 2.0**-53)
_LOW_BITS: Final = np.uint64(0xFFF)
_UNSETTLED: Final = _number((1 << 33) - 1)
"""Bits that the last step of the mixer may still change."""

_BLOCK: Final = 1 << 14


def name_key(name: str) -> np.uint64:
    """Stable 64-bit key of a name (BLAKE2b), the same on every machine and in every run.

    Parameters
    ----------
    name : str
        Name of a purpose, task, practice, clinician ...

    Returns
    -------
    uint64
    """
    digest = hashlib.blake2b(name.encode("utf-8"), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def root_key(seed: int) -> np.uint64:
    """Key of a run, from which all its other keys descend.

    Parameters
    ----------
    seed : int
        Whole number from 0 to 2**64 - 1.

    Returns
    -------
    uint64
    """
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed = {seed}: expected a whole number from 0 to 2**64 - 1")
    return child(name_key("careload"), np.uint64(seed))


@overload
def child(key: np.uint64, *coords: int | np.integer) -> np.uint64: ...  # type: ignore[overload-overlap]
@overload
def child(key: Keys, *coords: Coordinate) -> NDArray[np.uint64]: ...
def child(key: Keys, *coords: Coordinate) -> NDArray[np.uint64] | np.uint64:
    """Key of a place further down the path of coordinates.

    Parameters
    ----------
    key : uint64 or ndarray of uint64
        Parent key or keys.
    *coords : int, `name_key`, or ndarray of int or uint64
        Coordinates, entering one after the other; they broadcast with the key. Negative numbers wrap.

    Returns
    -------
    uint64 if everything is a single number, else ndarray of uint64 of the broadcast shape
    """
    result = np.asarray(key, dtype=np.uint64)
    for coord in coords:
        steps = _as_uint64(coord)
        if steps.ndim == 0 or steps.shape == result.shape:
            mixed = np.empty(result.shape or (1,), dtype=np.uint64)
            _step_and_mix(result.reshape(-1), steps.reshape(-1), mixed.reshape(-1))
        else:
            mixed = np.empty(np.broadcast_shapes(result.shape, steps.shape), dtype=np.uint64)
            np.add(result, steps * _GOLDEN + _GOLDEN, out=mixed)
            _mix(mixed.reshape(-1))
        result = mixed if result.ndim or steps.ndim else mixed[0]
    return result if result.ndim else np.uint64(result)


def uniform(key: Keys, purpose: np.uint64) -> NDArray[np.float64]:
    """Uniform draws in the open interval (0, 1): 52 bits and a half step, so neither 0 nor 1 can occur.

    Parameters
    ----------
    key : uint64 or ndarray of uint64, any shape
        Mixed keys, as `child` and `root_key` give them.
    purpose : uint64
        `name_key` of what the draw decides. One purpose and one key give one draw, here and in `index16`.

    Returns
    -------
    ndarray of float64, shape of the keys
        Odd multiples of 2**-53.
    """
    keys = np.asarray(key, dtype=np.uint64)
    out = np.empty(keys.shape)
    flat = out.reshape(-1)
    bits = flat.view(np.uint64)
    np.bitwise_xor(keys.reshape(-1), purpose, out=bits)
    scratch = np.empty(min(_BLOCK, bits.size), dtype=np.uint64)
    for first in range(0, bits.size, _BLOCK):
        part = bits[first : first + _BLOCK]
        _mix_block(part, scratch[: part.size])
        part >>= _TO_52_BITS
        part |= _ONE
        flat[first : first + _BLOCK] -= _JUST_BELOW_ONE
    return out


def index16(key: Keys, purpose: np.uint64) -> NDArray[np.int64]:
    """Uniform whole numbers from 0 to 65,535, the index into a table of `careload.quantiles`.

    Parameters
    ----------
    key : uint64 or ndarray of uint64, any shape
        Mixed keys, as `child` and `root_key` give them.
    purpose : uint64
        `name_key` of what the draw decides.

    Returns
    -------
    ndarray of int64, shape of the keys
        The 16 highest bits of the draw.
    """
    keys = np.asarray(key, dtype=np.uint64)
    out = np.empty(keys.shape, dtype=np.int64)
    bits = out.reshape(-1).view(np.uint64)
    np.bitwise_xor(keys.reshape(-1), purpose, out=bits)
    scratch = np.empty(min(_BLOCK, bits.size), dtype=np.uint64)
    for first in range(0, bits.size, _BLOCK):
        part = bits[first : first + _BLOCK]
        _stir(part, scratch[: part.size])
        part >>= _TO_16_BITS
    return out


def limit_of(share: ArrayLike) -> NDArray[np.uint64]:
    """Probabilities as limits for `happens`.

    Parameters
    ----------
    share : array_like of float
        From 0 to 1.

    Returns
    -------
    ndarray of uint64, shape of the shares
    """
    steps = np.clip(np.ceil(np.ldexp(np.asarray(share, dtype=np.float64), 52) - 0.5), 0.0, 2.0**52)
    limit: NDArray[np.uint64] = np.minimum(steps, 2.0**52 - 1).astype(np.uint64) << np.uint64(12)
    # The limit of a certain event, 2**64, is one more than 64 bits hold: it fails once in 2**64 draws.
    limit[steps == 2.0**52] |= _LOW_BITS
    return limit


def happens(
    key: NDArray[np.uint64],
    purpose: NDArray[np.uint64] | np.uint64,
    limit: NDArray[np.uint64],
    kind: NDArray[np.integer] | None = None,
) -> NDArray[np.bool_]:
    """Events with given probabilities: whether ``uniform(key, purpose)`` is below them.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Mixed keys, as `child` and `root_key` give them.
    purpose : uint64 or ndarray of uint64, shape (n,)
        `name_key` of what the draw decides, of all keys or of every key.
    limit : ndarray of uint64
        `limit_of` the probability: of every key, shape (n,), or of every kind if `kind` is given.
    kind : ndarray of int, shape (n,), optional
        Place of each key's probability in `limit`.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    found = np.empty(key.size, dtype=np.bool_)
    bits, scratch = np.empty((2, min(_BLOCK, key.size)), dtype=np.uint64)
    purposes = np.asarray(purpose)
    for first in range(0, key.size, _BLOCK):
        part = slice(first, min(first + _BLOCK, key.size))
        drawn, spare = bits[: part.stop - first], scratch[: part.stop - first]
        np.bitwise_xor(key[part], purposes[part] if purposes.ndim else purposes, out=drawn)
        _mix_block(drawn, spare)
        if kind is None:
            np.less(drawn, limit[part], out=found[part])
        else:
            np.less(drawn, limit.take(kind[part], out=spare, mode="clip"), out=found[part])
    return found


def misses(
    key: NDArray[np.uint64], coords: NDArray[np.integer], purpose: np.uint64, limit: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Events that do not happen to children: where ``happens(child(key, coord), purpose, limit)`` is false.

    Made for events that nearly always happen: nothing is kept of the others.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
    coords : ndarray of int, shape (m,)
        Coordinates, each of which gives every key a child.
    purpose : uint64
    limit : ndarray of uint64, shape (n,)
        `limit_of` the probability of every key.

    Returns
    -------
    ndarray of int64
        Places in an array of shape (m, n), rising.
    """
    steps = (_as_uint64(coords) * _GOLDEN + _GOLDEN)[:, None]
    missed = np.empty((len(coords), key.size), dtype=np.bool_)
    width = max(1, _BLOCK // max(1, len(coords)))
    for first in range(0, key.size, width):
        part = slice(first, min(first + width, key.size))
        bits = key[part] + steps
        scratch = np.empty_like(bits)
        _mix_block(bits, scratch)
        bits ^= purpose
        _mix_block(bits, scratch)
        np.greater_equal(bits, limit[part], out=missed[:, part])
    return np.flatnonzero(missed)


def events(
    key: NDArray[np.uint64],
    purposes: NDArray[np.uint64],
    limit: NDArray[np.uint64],
    kind: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The events of several purposes that happen: all pairs for which ``happens`` is true.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
    purposes : ndarray of uint64, shape (m,)
    limit : ndarray of uint64, shape (m, kinds)
        `limit_of` the probability of every purpose and kind.
    kind : ndarray of int, shape (n,)

    Returns
    -------
    of : ndarray of int64
        Place of the key of each event, in no order that means anything.
    which : ndarray of int64
        Place of its purpose.
    """
    # A draw is finished only where it may be below the largest limit of its purpose: the last step of the mixer
    # leaves the high bits alone.
    most = (limit.max(axis=1, initial=0) | _UNSETTLED)[:, None]
    stirred = (purposes ^ (purposes >> _SHIFT_1))[:, None]
    width = max(1, _BLOCK // max(1, len(purposes)))
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]] = []
    for first in range(0, key.size, width):
        own = key[first : first + width]
        bits = np.bitwise_xor(own ^ (own >> _SHIFT_1), stirred)
        bits *= _FACTOR_1
        bits ^= bits >> _SHIFT_2
        bits *= _FACTOR_2
        near = np.flatnonzero(bits <= most)
        which, of = np.divmod(near, own.size)
        found.append((first + of, which, bits.take(near)))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    of, which, drawn = (np.concatenate(column) for column in zip(*found, strict=True))
    drawn ^= drawn >> _SHIFT_3
    sure = np.flatnonzero(drawn < limit[which, kind.take(of)])
    return of.take(sure), which.take(sure)


def _as_uint64(coord: Coordinate) -> NDArray[np.uint64]:
    """Whole numbers as wrapped 64 bits; anything else is refused."""
    whole = np.asarray(coord)
    if whole.dtype.kind not in "iub":
        raise TypeError(f"coordinate of type {whole.dtype}: expected whole numbers")
    if whole.dtype.kind == "i":
        return whole.astype(np.int64, copy=False).view(np.uint64)
    return whole.astype(np.uint64, copy=False)


def _step_and_mix(key: NDArray[np.uint64], steps: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
    """Write mix(key + (step + 1) * golden), block by block; a single step is that of all keys."""
    scratch = np.empty(min(_BLOCK, out.size), dtype=np.uint64)
    step = steps * _GOLDEN + _GOLDEN if steps.size == 1 else _GOLDEN
    for first in range(0, out.size, _BLOCK):
        part = out[first : first + _BLOCK]
        own = key if key.size == 1 else key[first : first + _BLOCK]
        if steps.size == 1:
            np.add(own, step, out=part)
        else:
            np.multiply(steps[first : first + _BLOCK], _GOLDEN, out=part)
            part += step
            part += own
        _mix_block(part, scratch[: part.size])


def _mix(bits: NDArray[np.uint64]) -> None:
    """Mix a flat array in place, block by block."""
    scratch = np.empty(min(_BLOCK, bits.size), dtype=np.uint64)
    for first in range(0, bits.size, _BLOCK):
        part = bits[first : first + _BLOCK]
        _mix_block(part, scratch[: part.size])


def _mix_block(z: NDArray[np.uint64], scratch: NDArray[np.uint64]) -> None:
    """Finaliser of SplitMix64 in place."""
    _stir(z, scratch)
    np.right_shift(z, _SHIFT_3, out=scratch)
    z ^= scratch


def _stir(z: NDArray[np.uint64], scratch: NDArray[np.uint64]) -> None:
    """The finaliser without its last step, which leaves the 31 highest bits alone."""
    np.right_shift(z, _SHIFT_1, out=scratch)
    z ^= scratch
    z *= _FACTOR_1
    np.right_shift(z, _SHIFT_2, out=scratch)
    z ^= scratch
    z *= _FACTOR_2
