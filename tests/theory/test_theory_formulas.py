"""The formulas of this folder give the published values."""

from __future__ import annotations

import numpy as np
import pytest
from formulas import appointments, cobham, d_m_1, delay_probability, m_g_1, m_m_c, m_m_c_cobham

SESSIONS = {
    (1, 10): (10.59, 18.14, 13.74, 10.40, 13.51, 15.35),
    (1, 20): (17.41, 28.73, 19.93, 20.22, 20.31, 26.05),
    (4, 10): (5.47, 9.28, 10.16, 3.01, 9.36, 7.79),
    (4, 20): (8.92, 14.63, 12.77, 7.22, 12.78, 13.25),
}
"""Mean wait and idle time, 400,000 simulated sessions: individual, two at the start, two at a time."""


def test_erlang_c() -> None:
    published = {
        (1, 4.8): (0.800, 40.0),
        (1, 5.4): (0.900, 90.0),
        (2, 9.6): (0.711, 17.78),
        (2, 10.8): (0.853, 42.63),
        (4, 19.2): (0.596, 7.455),
        (4, 21.6): (0.788, 19.69),
        (8, 43.2): (0.702, 8.769),
    }
    for (servers, per_hour), (share, wait) in published.items():
        assert delay_probability(servers, per_hour / 6) == pytest.approx(share, abs=5e-4)
        assert m_m_c(servers, per_hour / 60, 10.0) == pytest.approx(wait, rel=3e-4)


def test_pollaczek_khinchine() -> None:
    published = {
        0.7: (11.67, 14.58, 17.38, 23.33),
        0.8: (20.0, 25.0, 29.8, 40.0),
        0.9: (45.0, 56.25, 67.05, 90.0),
    }
    for load, waits in published.items():
        found = [m_g_1(load / 10, 10.0, cv) for cv in (0, 0.5, 0.7, 1)]
        assert found == pytest.approx(waits, abs=6e-3)


def test_equal_gaps() -> None:
    found = [d_m_1(gap, 10.0) for gap in (11.0, 12.0, 12.5, 15.0)]
    assert found == pytest.approx([46.78, 21.88, 16.93, 7.158], abs=6e-3)


def test_priorities_share_out_the_wait_of_one_class() -> None:
    one = m_g_1(0.08, 10.0, 0.5)
    two = cobham([0.008, 0.072], [10.0, 10.0], [0.5, 0.5])
    assert 0.1 * two[0] + 0.9 * two[1] == pytest.approx(one)
    assert two == pytest.approx([5.0 / 0.92, 5.0 / (0.92 * 0.2)])
    three = m_m_c_cobham(3, [0.06, 0.06, 0.12], 10.0)
    assert np.average(three, weights=[1, 1, 2]) == pytest.approx(m_m_c(3, 0.24, 10.0))


@pytest.mark.parametrize(("phases", "n"), SESSIONS)
def test_sessions(phases: int, n: int) -> None:
    place = np.arange(n)
    rules = (place * 10.0, np.maximum(place - 1, 0) * 10.0, place // 2 * 20.0)
    found = [value for times in rules for value in appointments(times, 10.0, phases)]
    assert found == pytest.approx(SESSIONS[phases, n], abs=0.08)
