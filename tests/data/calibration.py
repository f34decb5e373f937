"""Writes calibration.txt, by other formulas than the library's, with 60 digits: python calibration.py > calibration.txt

The moments of uniform points come of the spherical harmonics (Funk and Hecke), those of one pair of ₀F₁, and the tail of
mpmath's incomplete gamma function. Made with mpmath 1.4.1.
"""

from mpmath import besseli, binomial, exp, gamma, gammainc, log, mp, mpf, quad, sqrt

mp.dps = 60


def rise(d, t):
    """log ₀F₁(; d/2; t²)"""
    return log(hyp(d, t))


def hyp(d, t):
    nu = mpf(d) / 2 - 1
    return besseli(nu, 2 * mpf(t)) * gamma(nu + 1) * mpf(t) ** -nu


def harmonics(d, k):
    """How many there are of degree k on the sphere in d dimensions."""
    if d == 1:
        return 1 if k <= 1 else 0
    return 1 if k == 0 else binomial(k + d - 1, k) - (binomial(k + d - 3, k - 2) if k > 1 else 0)


def spectrum(d, t, power):
    """Σ over all degrees above 0 of harmonics · (λ/λ₀)^power, λ the eigenvalue of the kernel."""
    nu, total, k = mpf(d) / 2 - 1, mpf(0), 1
    first = besseli(nu, 2 * mpf(t))
    while True:
        term = harmonics(d, k) * (besseli(nu + k, 2 * mpf(t)) / first) ** power
        total += term
        if term <= total * mpf(10) ** -30:
            return total
        k += 1


def moments(d, t):
    m1, m2, m3 = (hyp(d, k * mpf(t)) for k in (1, 2, 3))
    variance = spectrum(d, t, 2)
    assert abs(m2 / m1**2 - 1 - variance) < variance * mpf(10) ** -18
    return variance, m3 / m1**3 - 3 * m2 / m1**2 + 2, spectrum(d, t, 3)


def significance(d, t, n, z):
    """The value that lies z standard deviations above the floor, and its p-value."""
    variance, third, triangle = moments(d, t)
    pairs = mpf(n) * (n - 1) / 2
    skewness = (third + 2 * (n - 2) * triangle) / (sqrt(pairs) * variance ** mpf(1.5))
    value = rise(d, t) - 2 * mpf(t) + log(1 + mpf(z) * sqrt(variance / pairs))
    a = 4 / skewness**2
    x = a + z * sqrt(a)
    return value, gammainc(a, x, regularized=True) if x > 0 else mpf(1)


def integral(a, z):
    """The same tail, by integration over the standardised variable: gammainc takes too long at so great a shape."""
    root = sqrt(a)
    logdensity = lambda u: (a - 1) * log(1 + u / root) - u * root
    peak = -1 / root
    f = lambda u: exp(logdensity(u) - logdensity(peak))
    points = lambda lo, hi: [lo + (hi - lo) * mpf(k) / 64 for k in range(65)]
    return quad(f, points(z, max(z, 0) + 25)) / quad(f, points(mpf(-25), mpf(25)))


def show(*numbers):
    print(*(x if isinstance(x, (int, str)) else mp.nstr(x, 17) for x in numbers))


if __name__ == "__main__":
    print("# moments d t: logs of the variance, third moment and triangle of w/m")
    for d, t in [
        (1, "0.5"), (1, 2), (2, "0.01"), (2, 2), (2, 50), (3, 2), (8, "0.5"), (8, 2), (8, 20), (33, 5),
        (128, 2), (384, "0.1"), (384, 2), (384, 50), (4096, 5),
    ]:
        show("moments", d, mpf(t), *map(log, moments(d, t)))
    print("# significance d t n: value z p")
    for d, t, n in [(1, 2, 20), (2, 2, 50), (8, 2, 100), (8, 20, 1000), (64, 2, 3), (384, 2, 4096), (4096, 5, 100000)]:
        for z in (mpf(-1), mpf("-0.25"), mpf("0.5"), mpf(2), mpf(6)):
            value, p = significance(d, t, n, z)
            show("significance", d, mpf(t), n, value, z, p)
    print("# tail skewness z: p")
    for skewness in ("3", "0.5", "0.02", "0.0063", "0.006", "1e-4", "1e-7"):
        for z in (-8, -1, "-0.01", "0.3", 1, 5, 12, 30):
            a = (2 / mpf(skewness)) ** 2
            x = a + mpf(z) * sqrt(a)
            if x <= 0:
                p = mpf(1)
            elif a < 1e5:
                p = gammainc(a, x, regularized=True)
            else:
                p = integral(a, mpf(z))
            show("tail", mpf(skewness), mpf(z), p)
