# SPDX-License-Identifier: BSD-2-Clause
"""Keys that nobody should have a certificate for."""
import math
import secrets

from cryptography.hazmat.primitives.asymmetric import rsa


def small():
    return rsa.generate_private_key(65537, 1024)


def exponent_3():
    return rsa.generate_private_key(3, 2048)


def primes(count: int) -> list[int]:
    found, n = [], 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def is_prime(n: int) -> bool:
    """Miller-Rabin; for numbers that nobody chose against it."""
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(20):
        x = pow(secrets.randbelow(n - 3) + 2, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def roca_prime(m: int) -> int:
    """Of 1024 bits, a power of 65537 modulo m."""
    low, high = 3 << 1022, 1 << 1024
    while True:
        rest = pow(65537, secrets.randbelow(m), m)
        k = low // m + 1 + secrets.randbelow((high - low) // m - 2)
        p = k * m + rest
        if (p.bit_length() == 1024 and pow(2, p - 1, p) == 1 and
                math.gcd(p - 1, 65537) == 1 and is_prime(p)):
            return p


def roca():
    """As the library of CVE-2017-15361 made them for 2048 bits."""
    m = math.prod(primes(126))
    p, q = roca_prime(m), roca_prime(m)
    if p < q:
        p, q = q, p
    d = pow(65537, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p),
        rsa.RSAPublicNumbers(65537, p * q)).private_key()
