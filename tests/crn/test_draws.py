"""Draws are functions of their coordinates: exact statements, no statistics."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careload import draws
from careload.draws import child, events, happens, index16, limit_of, misses, name_key, root_key, uniform
from careload.poisson import poisson

PURPOSE = name_key("test purpose")
GOLDEN = 0x9E3779B97F4A7C15
ALL_ONES = (1 << 64) - 1


def mix_plain(z: int) -> int:
    """Finaliser of SplitMix64 in plain whole numbers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & ALL_ONES
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & ALL_ONES
    return z ^ (z >> 31)


def unmix_plain(z: int) -> int:
    """Inverse of the finaliser."""

    def unshift(x: int, shift: int) -> int:
        result = x
        for _ in range(64 // shift + 1):
            result = x ^ (result >> shift)
        return result

    z = (unshift(z, 31) * pow(0x94D049BB133111EB, -1, 1 << 64)) & ALL_ONES
    z = (unshift(z, 27) * pow(0xBF58476D1CE4E5B9, -1, 1 << 64)) & ALL_ONES
    return unshift(z, 30)


def test_child_is_the_published_splitmix64():
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert child(np.uint64(1234567), np.arange(5)).tolist() == published


@given(
    key=st.integers(0, ALL_ONES),
    coords=st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=5),
    purpose=st.integers(0, ALL_ONES),
)
@settings(max_examples=200, deadline=None)
def test_numbers_equal_plain_integer_arithmetic(key: int, coords: list[int], purpose: int):
    expected = key
    for coord in coords:
        expected = mix_plain((expected + (coord + 1) * GOLDEN) & ALL_ONES)
    found = child(np.uint64(key), *coords)
    assert isinstance(found, np.uint64)
    assert int(found) == expected
    bits = mix_plain(expected ^ purpose)
    assert float(uniform(found, np.uint64(purpose))) == (2 * (bits >> 12) + 1) * 2.0**-53
    assert int(index16(found, np.uint64(purpose))) == bits >> 48


@given(
    shape_key=st.sampled_from([(), (1,), (7,), (3, 1), (3, 7)]),
    shape_coord=st.sampled_from([(), (1,), (7,), (3, 7), (1, 7)]),
    seed=st.integers(0, 1 << 32),
)
@settings(max_examples=60, deadline=None)
def test_broadcast_equals_one_by_one(shape_key: tuple[int, ...], shape_coord: tuple[int, ...], seed: int):
    generator = np.random.default_rng(seed)
    key = generator.integers(0, 1 << 63, shape_key).astype(np.uint64)
    coord = generator.integers(-5, 1 << 20, shape_coord)
    together = np.asarray(child(key, coord, 3))
    assert together.shape == np.broadcast_shapes(shape_key, shape_coord)
    keys, coords = np.broadcast_arrays(key, coord)
    for place in np.ndindex(together.shape):
        assert together[place] == child(np.uint64(keys[place]), int(coords[place]), 3)


def test_a_draw_alone_equals_the_draw_in_an_array_of_any_layout():
    keys = child(root_key(3), np.arange(60_000)).reshape(300, 200)
    whole, cells = uniform(keys, PURPOSE), index16(keys, PURPOSE)
    assert np.array_equal(uniform(keys.T, PURPOSE), whole.T)
    assert np.array_equal(index16(np.asfortranarray(keys), PURPOSE), cells)
    assert np.array_equal(uniform(keys[::3, 5::7], PURPOSE), whole[::3, 5::7])
    assert np.array_equal(child(keys.T, 4), child(keys, 4).T)
    assert float(uniform(keys[17, 5], PURPOSE)) == whole[17, 5]
    assert uniform(keys[:0], PURPOSE).shape == (0, 200)


def test_inputs_are_left_alone():
    keys = child(root_key(3), np.arange(100))
    before = keys.copy()
    child(keys, np.arange(100))
    uniform(keys, PURPOSE)
    index16(keys, PURPOSE)
    assert np.array_equal(keys, before)


def test_the_type_of_a_whole_coordinate_does_not_matter():
    key = root_key(1)
    for kind in (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64):
        assert child(key, kind(7)) == child(key, 7)
        assert child(key, np.array([7], dtype=kind)).tolist() == [int(child(key, 7))]
    assert child(key, -1) == child(key, np.uint64(ALL_ONES)) == child(key, np.int8(-1))
    with pytest.raises(TypeError, match="whole numbers"):
        child(key, 1.0)  # type: ignore[arg-type]


def test_a_uniform_is_never_zero_or_one():
    for bits, expected in ((0, 2.0**-53), (ALL_ONES, 1.0 - 2.0**-53)):
        key = np.uint64(unmix_plain(bits) ^ int(PURPOSE))
        assert float(uniform(key, PURPOSE)) == expected
        assert int(index16(key, PURPOSE)) == bits >> 48


def test_child_is_injective_in_coordinate_and_key():
    ordinals = np.arange(200_000)
    assert len(np.unique(child(root_key(1), ordinals))) == ordinals.size
    assert len(np.unique(child(child(root_key(1), ordinals), 9))) == ordinals.size


def test_order_and_depth_of_coordinates_matter():
    key = root_key(1)
    keys = [
        child(key, 1, 2),
        child(key, 2, 1),
        child(key, 1),
        child(key, 2),
        child(key, 1, 2, 0),
        child(key, 0, 1, 2),
    ]
    assert len(set(map(int, keys))) == len(keys)
    assert child(child(key, 1), 2) == child(key, 1, 2)
    assert child(key) == key


def test_names_are_stable_across_processes_and_differ():
    code = "from careload.draws import name_key, root_key; print(name_key('visit.urgent'), root_key(42))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == [str(name_key("visit.urgent")), str(root_key(42))]
    names = [f"task {i}" for i in range(2000)] + ["é", "e\u0301", ""]
    assert len({int(name_key(name)) for name in names}) == len(names)


def test_known_values_do_not_drift():
    assert int(name_key("visit.urgent")) == 4240357070764795225
    assert int(root_key(42)) == 9298923866049651294


def test_seeds_outside_64_bits_are_refused():
    assert root_key(0) != root_key(ALL_ONES)
    for seed in (-1, 1 << 64):
        with pytest.raises(ValueError, match="seed"):
            root_key(seed)


def test_importing_draws_does_not_import_scipy():
    code = "import sys, careload.draws, careload.quantiles, careload.patients.population; print('scipy' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False"


@pytest.mark.parametrize("mean", [1e-12, 1e-3, 0.05, 0.7, 3.0, 17.5, 63.9, 64.1, 180.0, 500.0, 4000.0])
def test_poisson_is_the_least_count_that_reaches_u(mean: float):
    from scipy.special import pdtr

    u = uniform(child(root_key(5), np.arange(20_000)), PURPOSE)
    u[:6] = [2.0**-53, 1e-300, 1e-9, 0.5, 1 - 1e-9, 1 - 2.0**-53]
    n = poisson(u, mean)
    slack = 1e-13
    assert (pdtr(n, mean) >= u - slack).all()
    below = n > 0
    assert (pdtr(n[below] - 1, mean) < u[below] + slack).all()


def test_poisson_of_zero_mean_and_of_mixed_means():
    u = uniform(child(root_key(6), np.arange(30_000)), PURPOSE)
    assert not poisson(u, 0.0).any()
    means = np.tile([0.0, 0.02, 5.0, 63.0, 65.0, 300.0], 5000)
    mixed = poisson(u, means)
    one_by_one = np.array([int(poisson(u[i], means[i])) for i in range(600)])
    assert np.array_equal(mixed[:600], one_by_one)
    for i in range(6):
        assert np.array_equal(mixed[i::6], poisson(u[i::6], means[i]))
    assert np.array_equal(poisson(u.reshape(-1, 6), means[:6]), mixed.reshape(-1, 6))
    assert poisson(u[:0], means[:0]).shape == (0,)


def test_poisson_rises_with_u_and_with_the_mean():
    u = np.sort(uniform(child(root_key(8), np.arange(5000)), PURPOSE))
    for mean in (0.3, 20.0, 200.0):
        assert (np.diff(poisson(u, mean)) >= 0).all()
    means = np.linspace(0, 150, 5000)
    for draw in (0.01, 0.5, 0.999):
        assert (np.diff(poisson(draw, means)) >= 0).all()


def test_poisson_refuses_what_is_no_mean():
    for mean in (-0.1, np.nan, np.inf, np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="mean"):
            poisson(0.5, mean)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch):
    keys = child(root_key(9), np.arange(1000))
    expected = child(keys, 2), uniform(keys, PURPOSE), index16(keys, PURPOSE)
    counts = poisson(expected[1], 2.0)
    monkeypatch.setattr(draws, "_BLOCK", 7)
    found = child(keys, 2), uniform(keys, PURPOSE), index16(keys, PURPOSE)
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
    assert np.array_equal(poisson(expected[1], 2.0), counts)


def test_events_are_draws_below_their_probability() -> None:
    """`happens` says what `uniform` below the share says, to the last bit, by key and by kind."""
    key = child(root_key(5), np.arange(20_000))
    purpose = name_key("an event")
    drawn = uniform(key, purpose)
    for share in (drawn, np.nextafter(drawn, 0.0), np.nextafter(drawn, 1.0), drawn[::-1]):
        assert np.array_equal(happens(key, purpose, limit_of(share)), drawn < share)
    shares = np.array([0.0, 2.0**-53, 0.3, 1.0 - 2.0**-53, 1.0])
    kind = np.arange(len(key)) % len(shares)
    assert np.array_equal(happens(key, purpose, limit_of(shares), kind), drawn < shares[kind])


def test_events_of_several_purposes_are_those_of_each() -> None:
    """`events` finds the pairs for which `happens` is true, by rare and by common probabilities."""
    key = child(root_key(5), np.arange(5_000))
    purposes = np.array([name_key(f"event {number}") for number in range(7)])
    limit = limit_of(np.linspace(0, 1, 28).reshape(7, 4) ** 3)
    kind = np.arange(len(key)) % 4
    of, which = events(key, purposes, limit, kind)
    found = np.zeros((len(purposes), len(key)), bool)
    found[which, of] = True
    assert len(of) == found.sum()
    for number, purpose in enumerate(purposes):
        assert np.array_equal(found[number], happens(key, purpose, limit[number], kind))
    by_key = happens(np.tile(key, 7), np.repeat(purposes, len(key)), limit[:, kind].reshape(-1))
    assert np.array_equal(by_key, found.reshape(-1))
    assert not len(events(key[:0], purposes, limit, kind[:0])[0])
    assert not len(events(key, purposes[:0], limit[:0], kind)[0])


def test_what_misses_is_what_does_not_happen_to_children() -> None:
    """`misses` names the places where `happens` is false, by coordinate and key."""
    key, coords = child(root_key(5), np.arange(20_000)), np.array([3, 0, -1])
    limit = limit_of(np.linspace(0, 1, len(key)))
    found = np.concatenate([happens(child(key, coord), PURPOSE, limit) for coord in coords])
    assert np.array_equal(misses(key, coords, PURPOSE, limit), np.flatnonzero(~found))
    assert not len(misses(key[:0], coords, PURPOSE, limit[:0]))
